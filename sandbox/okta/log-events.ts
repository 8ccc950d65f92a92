// What a pretend tenant's System Log holds.
export type SystemLogEventType =
  | 'pki.cert.issue'
  | 'pki.cert.bind'
  | 'pki.cert.lifecycle.revoke'
  | 'device.lifecycle.activate'
  | 'device.lifecycle.deactivate'
  | 'device.lifecycle.suspend'
  | 'device.lifecycle.unsuspend'
  | 'device.lifecycle.delete'
  | 'device.platform.update'
  | 'device.platform.secret_key.reset';

export interface SystemLogTarget {
  readonly id: string;
  readonly type: 'UDDevice' | 'User' | 'PKICertificate' | 'DevicePlatform';
  readonly alternateId?: string;
  readonly displayName?: string;
  readonly detailEntry?: Readonly<Record<string, string>>;
}

export interface SystemLogEvent {
  readonly uuid: string;
  readonly published: string; // ISO 8601
  readonly eventType: SystemLogEventType;
  readonly target: readonly SystemLogTarget[];
}
