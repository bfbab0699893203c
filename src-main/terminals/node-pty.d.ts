/** What is used of the package; it declares its types under another name than it is installed as. */
declare module 'node-pty' {
  export interface Pty {
    readonly pid: number;
    onData(listener: (text: string) => void): unknown;
    onExit(listener: (end: { exitCode: number; signal?: number }) => void): unknown;
    resize(columns: number, rows: number): void;
    write(text: string): void;
    kill(signal?: string): void;
    pause(): void;
    resume(): void;
  }
  export interface PtyOptions {
    readonly name: string;
    readonly cols: number;
    readonly rows: number;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  }
  export function spawn(file: string, args: string[], options: PtyOptions): Pty;
}
