/** Writes the REST structures of src/rest/structure.ts from the descriptors. */
import { BODIES } from './bodies.ts';
import { subsystemOf, type FieldDescriptor, type MessageDescriptor } from './descriptors.ts';

const SCALARS: Readonly<Record<string, string>> = {
  TYPE_STRING: 'string',
  TYPE_BOOL: 'bool',
  TYPE_INT32: 'int32',
  TYPE_UINT32: 'uint32',
  TYPE_INT64: 'int64',
  TYPE_UINT64: 'uint64',
  TYPE_DOUBLE: 'double',
};

const FREE_JSON: Readonly<Record<string, string>> = {
  'google.protobuf.Value': 'value',
  'google.protobuf.Struct': 'object',
};

const EMPTY: Readonly<Record<string, string>> = {
  EMPTY_OMIT: 'omit',
  EMPTY_NULL: 'null',
  EMPTY_LITERAL: 'literal',
  EMPTY_ZERO: 'zero',
  EMPTY_ZERO_TIME: 'zero-time',
};

/** The type of a field or of its elements, as in `ScalarType`; undefined for a structure. */
export function scalarOf(type: string, typeName: string | undefined): string | undefined {
  return typeName === undefined ? SCALARS[type] : FREE_JSON[typeName];
}

/** `one`, `optional`, `list` or `map`. */
export function labelOf(field: FieldDescriptor): 'one' | 'optional' | 'list' | 'map' {
  if (field.mapValue) return 'map';
  if (field.repeated) return 'list';
  return field.optional ? 'optional' : 'one';
}

/** Files that hold services and the messages of their calls. */
const SERVICE_FILE = /(_service|\/state_owner|\/addon_host)$/;

/** The messages that are structures: what the API shows or takes, and not the mere envelopes of calls. */
function structuresOf(messages: readonly MessageDescriptor[]): MessageDescriptor[] {
  const bodies = new Set(BODIES.map(({ message }) => message));
  return messages.filter(
    (message) =>
      bodies.has(`${message.package}.${message.name}`) ||
      !(SERVICE_FILE.test(message.file) || message.package === 'incusos.rest.v1'),
  );
}

/** Source text of each module of generated/rest/, by subsystem. */
export function restTables(messages: readonly MessageDescriptor[]): Map<string, string> {
  const structures = structuresOf(messages);
  const bySubsystem = Map.groupBy(structures, (message) => subsystemOf(message.package));
  return new Map([...bySubsystem].map(([subsystem, own]) => [subsystem, moduleText(subsystem, own)]));
}

function moduleText(subsystem: string, own: readonly MessageDescriptor[]): string {
  const imports = new Set<string>();
  const body = own.map((message) => structureText(subsystem, message, imports)).join('\n');
  const typeImports = [...new Set(own.map(({ file }) => file))].map(
    (file) => `import type * as ${moduleAlias(file)} from '../${file}.ts';`,
  );
  return [
    '// Generated from proto/, see libs/contracts/tools/rest-tables.ts.',
    "import { Structure } from '../../rest/structure.ts';",
    ...typeImports,
    ...[...imports].sort().map((other) => `import * as ${other} from './${other}.ts';`),
    '',
    body,
  ].join('\n');
}

function structureText(subsystem: string, message: MessageDescriptor, imports: Set<string>): string {
  const rows = message.fields.map((field) => `  ${rowText(subsystem, field, imports)},\n`).join('');
  const type = `Structure<${moduleAlias(message.file)}.${message.name}>`;
  const full = `${message.package}.${message.name}`;
  return `export const ${message.name}: ${type} = /* @__PURE__ */ new Structure('${full}', () => [\n${rows}]);\n`;
}

function rowText(subsystem: string, field: FieldDescriptor, imports: Set<string>): string {
  const label = labelOf(field);
  const { type, typeName } = field.mapValue ?? field;
  const scalar = scalarOf(type, typeName);
  let reference: string;
  if (scalar !== undefined) reference = `'${scalar}'`;
  else if (typeName?.startsWith('incusos.')) {
    const target = subsystemOf(typeName.slice(0, typeName.lastIndexOf('.')));
    const name = typeName.slice(typeName.lastIndexOf('.') + 1);
    if (target !== subsystem) imports.add(target);
    reference = target === subsystem ? name : `${target}.${name}`;
  } else throw new Error(`${field.name}: no REST form for ${type} ${typeName ?? ''}`);

  const extra = [
    field.json.key === undefined ? [] : [`key: '${field.json.key}'`],
    field.json.volatile === true ? ['volatile: true'] : [],
    field.json.integerAsText === true ? ['integerAsText: true'] : [],
  ].flat();
  const parts = [`'${field.name}'`, reference, `'${label}'`, `'${emptyOf(field, label, scalar)}'`];
  return `[${[...parts, ...(extra.length > 0 ? [`{ ${extra.join(', ')} }`] : [])].join(', ')}]`;
}

/** The defaults of options.proto. */
function emptyOf(field: FieldDescriptor, label: string, scalar: string | undefined): string {
  const asked = field.json.empty;
  if (asked !== undefined) {
    const empty = EMPTY[asked];
    if (empty === undefined) throw new Error(`${field.name}: unknown form ${asked}`);
    return empty;
  }
  if (label === 'list' || label === 'map' || scalar === 'value' || scalar === 'object') return 'null';
  return label === 'optional' ? 'omit' : 'zero';
}

function moduleAlias(file: string): string {
  return file.replaceAll(/\W/g, '_');
}
