-- What failed, by cause: counted from the index alone.
create index fleet_list_causes on fleet_list (failure_code, segment, changed_at) where failure_code is not null;
