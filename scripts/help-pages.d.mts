export function helpPages(): Promise<Record<string, { readonly title: string; readonly html: string }>>;
export function helpSources(): Promise<string[]>;
export function writeHelp(folder: string): Promise<void>;
