export function installHooks(root: string): Promise<void>;
