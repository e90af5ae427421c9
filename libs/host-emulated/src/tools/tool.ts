import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';

/** One run of an emulated program. */
export interface ToolCall {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  readonly stdin: string;
  readonly env: Readonly<Record<string, string>>;
  readonly machine: EmulatedMachine;
  readonly files: Files;
  readonly signal: AbortSignal;
  /** For programs that go on for a while, such as `journalctl --follow`: output before the end. */
  readonly write: (text: string) => void;
}

export interface ToolResult {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** An emulated program: the real one's arguments in, the real one's output out. */
export type Tool = (call: ToolCall) => ToolResult | Promise<ToolResult>;

/** A failure as most programs show it: a line on standard error and exit code 1. */
export function failure(stderr: string, exitCode = 1): ToolResult {
  return { exitCode, stderr: stderr.endsWith('\n') ? stderr : `${stderr}\n` };
}
