/** A machine that isn't there: the door of `@incusos/host` onto an emulated computer kept in a directory. */
export { openHost, openEmulatedHost } from './emulated-host.ts';
export { EmulatedMachine, MachineBusyError } from './machine/emulated-machine.ts';
export { describedMachine } from './machine/described-machine.ts';
export { defaultMachine } from './machine/machine-file.ts';
export type { Machine } from './machine/machine.ts';
export type { Tool, ToolCall, ToolResult } from './tools/tool.ts';
export { areas } from './areas.ts';
export { defaultNic } from './network/section.ts';
export { switchOff, switchOn } from './power-switch.ts';
export type { PowerState } from './system/section.ts';
export { ensureSigningPki, type SigningPki, signingPki } from './update/signing-pki.ts';
export { appendJournal } from './system/journal.ts';
