export function openTestRun(): Promise<{ folder: string; env: NodeJS.ProcessEnv }>;
export function leftOf(folder: string): Promise<{ pid: number; command: string }[]>;
export function endTestRun(folder: string): Promise<void>;
