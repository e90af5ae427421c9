/** The only door to the operating system: programs, files, watching, and what the system says of itself. */
export type { Host } from './host.ts';
export { HOST, openHost } from './host.ts';
export type { ByteRange, FileStat, FileSystemSpace, Files, WriteOptions, Watcher } from './files.ts';
export { LocalFiles } from './files.ts';
export type { Programs, ProgramStream, RunOptions, RunResult } from './programs.ts';
export { LocalPrograms, programDirectories } from './programs.ts';
export { ProgramError, type ProgramFailure } from './program-error.ts';
export { WatchedProgram, type WatchedProgramEvents } from './watched-program.ts';
export { readOsRelease } from './os-release.ts';
export { readTimeZone } from './time-zone.ts';
export { type ProcessExit, type ProcessOptions, type RunningProcess, startProcess } from './process.ts';
