/** Turns a log query into the arguments of journalctl(1), in which no value can become an option. */
import type { StreamLogRequest } from '@incusos/contracts/system';
import { DomainError } from '@incusos/service';

/** Stands for all of our services, which log under this name. */
const ourUnit = /^incus-osd(?:\.service)?$/u;

/** @throws DomainError `INVALID_REQUEST` naming the parameter. */
export function journalArguments(query: StreamLogRequest): string[] {
  const { unit = '', boot = '', entries = '', since = '', until = '' } = query;
  const args = ['--output=json', '--no-pager', '--quiet'];
  if (unit !== '') {
    check('unit', unit, /^[A-Za-z0-9:_.\\@*?[\]-]{1,256}$/u, 'is not the name of a unit');
    args.push(ourUnit.test(unit) ? '--identifier=incus-osd' : `--unit=${unit}`);
  }
  if (boot !== '')
    check(
      'boot',
      boot,
      /^(?:[+-]?\d{1,6}|[0-9a-f]{32}(?:[+-]\d{1,6})?|all)$/u,
      'is neither a boot number nor a boot id',
    );
  args.push(`--boot=${boot === '' ? '0' : boot}`);
  if (entries !== '') {
    check('entries', entries, /^\d{1,9}$/u, 'is not a number of entries');
    args.push(`--lines=${entries}`);
  }
  for (const [name, value] of [
    ['since', since],
    ['until', until],
  ] as const) {
    if (value === '') continue;
    check(name, value, /^[\p{L}\p{N} :+.,@/-]{1,100}$/u, 'is not a time');
    args.push(`--${name}=${value}`);
  }
  if (query.follow === true) args.push('--follow');
  return args;
}

function check(name: string, value: string, form: RegExp, problem: string): void {
  if (!form.test(value)) {
    throw new DomainError('INVALID_REQUEST', `${name} '${value.slice(0, 100)}' ${problem}`, {
      fields: [{ field: name, reason: problem }],
    });
  }
}

/** Complaints of journalctl about values that only it can judge. */
export function isRequestProblem(stderr: string): boolean {
  return /Failed to parse|--since= must be before|No journal boot entry|No such boot ID|Data from the specified boot/u.test(
    stderr,
  );
}
