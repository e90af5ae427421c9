import { pathToFileURL } from 'node:url';
import { type Files, LocalFiles } from './files.ts';
import { LocalPrograms, type Programs } from './programs.ts';

/** A computer as the services see it. Every path is the appliance's own, absolute, such as `/etc/hosts`. */
export interface Host {
  readonly files: Files;
  readonly programs: Programs;
}

interface HostModule {
  openHost(): Promise<Host>;
}

/**
 * The machine this process runs on. `INCUSOS_HOST_MODULE` names a module that stands in for it (the emulated
 * machine exports `openHost` too); without it this is the real one, its files below `INCUSOS_ROOT` (`/`).
 */
export async function openHost(): Promise<Host> {
  const substitute = process.env['INCUSOS_HOST_MODULE'];
  if (substitute !== undefined && substitute !== '') {
    const module = (await import(pathToFileURL(substitute).href)) as HostModule;
    return module.openHost();
  }
  return { files: new LocalFiles(process.env['INCUSOS_ROOT'] ?? '/'), programs: new LocalPrograms() };
}

/** Injects the machine into a service's providers. */
export const HOST = Symbol('host');
