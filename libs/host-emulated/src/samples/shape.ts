/**
 * Whether two answers of a program have the same shape: the same members and types in JSON, the same lines in text when
 * numbers, times and identifiers are left aside. What differs is told as text such as `pools.*.state: only real`.
 */

/** How a program's output is compared; JSON is recognised. */
export type Form =
  /** The same lines, in whatever order. */
  | 'lines'
  /** Programs that show what happens to run or be there: each form of a line of one is a form of the other's. */
  | 'kinds of lines'
  /** The same header, and rows of as many columns. */
  | 'table'
  /** `KEY=value` or `Key: value` lines: the same keys. */
  | 'keys'
  /** An object a line, of members that depend on what it is about: those of one are among those of the other. */
  | 'JSON lines';

/** Objects with these names have members that are called by what they are about. */
const collections = new Set([
  ...[
    'pools',
    'vdevs',
    'special',
    'logs',
    'l2cache',
    'datasets',
    'keyslots',
    'tokens',
    'segments',
    'digests',
  ],
]);
/** What tells the elements of a list apart. */
const identities = ['ifname', 'InterfaceName', 'Name', 'name', 'kname', 'dst', 'id'];

/** Members whose values are words that a reader goes by, so that these are compared too. */
const telling = new Set([
  ...['state', 'vdev_type', 'class', 'function', 'trim_state', 'path', 'keystatus', 'subsystems', 'type'],
  ...['id-link', 'mountpoints', 'info_kind', 'ifname', 'master', 'scope', 'AdministrativeState'],
  ...['OperationalState', 'CarrierState', 'AddressState', 'OnlineState', 'NetworkFile', 'LinkFile', 'Kind'],
]);

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}

function* compareJson(real: unknown, emulated: unknown, path: string): Generator<string> {
  const kinds = [kindOf(real), kindOf(emulated)];
  if (kinds[0] !== kinds[1]) yield `${path}: ${kinds.join(', not ')}`;
  else if (Array.isArray(real) && Array.isArray(emulated)) yield* compareLists(real, emulated, `${path}[]`);
  else if (isObject(real) && isObject(emulated)) yield* compareMembers(real, emulated, path);
  else if (telling.has(lastOf(path)) && real !== emulated)
    yield `${path}: ${JSON.stringify(real)}, not ${JSON.stringify(emulated)}`;
}

function lastOf(path: string): string {
  return (
    path
      .replaceAll(/\[[^\]]*\]/gu, '')
      .split('.')
      .at(-1) ?? ''
  );
}

function* compareMembers(real: Json, emulated: Json, path: string): Generator<string> {
  const isCollection = collections.has(lastOf(path));
  const others = new Map(Object.entries(emulated).map(([key, value]) => [keyOf(key), value]));
  for (const [key, value] of Object.entries(real)) {
    const place = `${path}${path === '' ? '' : '.'}${isCollection ? '*' : key}`;
    if (others.has(keyOf(key))) yield* compareJson(value, others.get(keyOf(key)), place);
    else yield `${isCollection ? `${place} (${keyOf(key)})` : place}: only real`;
    others.delete(keyOf(key));
  }
  for (const key of others.keys())
    yield `${path}${path === '' ? '' : '.'}${isCollection ? `* (${key})` : key}: only emulated`;
}

/** Members that are missing at import are called by their guid, which is another one each time. */
function keyOf(key: string): string {
  return /^\d{8,}$/u.test(key) ? 'guid' : key;
}

function* compareLists(
  real: readonly unknown[],
  emulated: readonly unknown[],
  path: string,
): Generator<string> {
  const identity = identities.find((key) =>
    [...real, ...emulated].every((element) => isObject(element) && typeof element[key] === 'string'),
  );
  // An empty list tells nothing of what could be in it.
  if (real.length === 0 || emulated.length === 0) return;
  if (identity === undefined) {
    yield* compareJson(merged(real), merged(emulated), path);
    return;
  }
  const byName = (list: readonly unknown[]): Map<string, unknown> =>
    new Map(list.filter(isObject).map((element) => [String(element[identity]), element]));
  const others = byName(emulated);
  for (const [name, element] of byName(real)) {
    if (others.has(name)) yield* compareJson(element, others.get(name), path.replace(/\[\]$/u, `[${name}]`));
    else yield `${path} (${name}): only real`;
    others.delete(name);
  }
  for (const name of others.keys()) yield `${path} (${name}): only emulated`;
}

/** One element that has everything that any of them has. */
function merged(list: readonly unknown[]): unknown {
  if (!list.every(isObject)) return list[0];
  return Object.assign({}, ...list) as unknown;
}

/** A line without what is different on every machine and at every time. */
function lineForm(line: string): string {
  return line
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gu, 'UUID')
    .replaceAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gu, 'MAC')
    .replaceAll(/\b[0-9a-f]{16,}\b/giu, 'HEX')
    .replaceAll(/\b(?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}\b/gu, 'RECOVERY-KEY')
    .replaceAll(/\d+(?:\.\d+)?/gu, '0')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

function formsOf(text: string, form: (line: string) => string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(form);
}

function* compareLines(real: readonly string[], emulated: readonly string[]): Generator<string> {
  const left = [...emulated];
  for (const line of real) {
    const at = left.indexOf(line);
    if (at < 0) yield `'${line}': only real`;
    else left.splice(at, 1);
  }
  for (const line of left) yield `'${line}': only emulated`;
}

function* compareKinds(real: readonly string[], emulated: readonly string[]): Generator<string> {
  const known = new Set(real);
  for (const line of new Set(emulated)) if (!known.has(line)) yield `'${line}': only emulated`;
}

function* compareTables(real: string, emulated: string): Generator<string> {
  const [header = '', ...rows] = formsOf(emulated, lineForm);
  const wanted = formsOf(real, lineForm)[0] ?? '';
  if (header !== wanted) yield `'${wanted}', not '${header}'`;
  const columns = wanted.split(' ').length;
  for (const row of rows) if (row.split(' ').length < columns) yield `'${row}': too few columns`;
}

function keyOfLine(line: string): string {
  return line.split(/[=:]/u)[0]?.trim() ?? '';
}

function parsed(text: string): unknown {
  if (!/^\s*[[{]/u.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function objectsOf(text: string): unknown {
  return merged(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as unknown),
  );
}

/** What differs between a real output and the emulated one. */
export function* compareOutput(real: string, emulated: string, form: Form): Generator<string> {
  if (form === 'JSON lines') {
    for (const difference of compareJson(objectsOf(real), objectsOf(emulated), ''))
      if (!difference.endsWith(': only real')) yield difference;
    return;
  }
  const [realJson, emulatedJson] = [parsed(real), parsed(emulated)];
  if (realJson !== undefined || emulatedJson !== undefined) yield* compareJson(realJson, emulatedJson, '');
  else if (form === 'table') yield* compareTables(real, emulated);
  else if (form === 'keys')
    yield* compareLines(unique(formsOf(real, keyOfLine)), unique(formsOf(emulated, keyOfLine)));
  else if (form === 'kinds of lines')
    yield* compareKinds(formsOf(real, lineForm), formsOf(emulated, lineForm));
  else yield* compareLines(formsOf(real, lineForm), formsOf(emulated, lineForm));
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
