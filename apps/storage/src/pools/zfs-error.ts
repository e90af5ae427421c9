/** What a refusal of ZFS' means to the caller. */
import { ProgramError } from '@incusos/host';
import { DomainError } from '@incusos/service';

/** Refusals that are about the request rather than about the machine. */
const clientMistakes = [
  /^invalid vdev specification/u,
  /^cannot create '[^']*': (?:invalid character|name |dataset already exists|no such pool)/u,
  /^cannot resolve path/u,
  /^cannot open '[^']*': no such (?:device|pool)/u,
  /device is too small/u,
  /is in use and contains/u,
  /no valid replicas/u,
  /only applicable to|can only attach/u,
  /operation not supported on this type of/u,
  /size is less than current used/u,
];

/** What ZFS said, as one sentence. */
export function saidBy(error: ProgramError): string {
  const lines = error.stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith("use '-f'"));
  return lines.length === 0 ? error.message : lines.join(': ').replaceAll('::', ':');
}

/** The error for a failed command; `doing` begins the sentence, such as `unable to create zpool 'x'`. */
export function zfsFailure(error: unknown, doing: string): DomainError {
  if (error instanceof DomainError) return error;
  if (!(error instanceof ProgramError)) throw error;
  const reason = clientMistakes.some((form) => form.test(error.stderr))
    ? 'INVALID_REQUEST'
    : 'OPERATION_FAILED';
  return new DomainError(reason, `${doing}: ${saidBy(error)}`, { cause: error });
}

/** Whether ZFS says that no pool of that name is on the drives it was shown. */
export function isNoSuchPool(error: unknown): boolean {
  return error instanceof ProgramError && error.stderr.includes('no such pool available');
}

const overridable = [/contains devices of different sizes$/u, /^mismatched replication level/u];

/** What `-f` would override, line by line; empty when it would override nothing. */
export function objections(error: unknown): string[] {
  if (
    !(error instanceof ProgramError) ||
    !error.stderr.includes("use '-f' to override the following errors:")
  )
    return [];
  const lines = error.stderr.split('\n').map((line) => line.trim());
  return lines
    .slice(lines.findIndex((line) => line.startsWith("use '-f'")) + 1)
    .filter((line) => line !== '');
}

/** Whether all that ZFS objects to is the devices' sizes, or that the vdevs of the pool aren't alike. Never a device's content. */
export function onlyAboutShape(lines: readonly string[]): boolean {
  return lines.length > 0 && lines.every((line) => overridable.some((form) => form.test(line)));
}

export function aboutSizes(lines: readonly string[]): boolean {
  return lines.some((line) => line.endsWith('contains devices of different sizes'));
}
