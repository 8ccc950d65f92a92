export function helpPages(): Promise<Record<string, { readonly title: string; readonly html: string }>>;
