/** Writes the DTO classes of generated/dto/ from the descriptors, with the decorators of src/dto/decorators.ts. */
import { BODIES } from './bodies.ts';
import { subsystemOf, type FieldDescriptor, type MessageDescriptor } from './descriptors.ts';
import { labelOf, scalarOf } from './rest-tables.ts';

const TS_TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  uint32: 'number',
  int64: 'number | bigint',
  uint64: 'number | bigint',
  double: 'number',
  object: 'object',
  value: 'unknown',
};

/** Source text of each module of generated/dto/, by subsystem. */
export function dtoModules(messages: readonly MessageDescriptor[]): Map<string, string> {
  const byName = new Map(messages.map((message) => [`${message.package}.${message.name}`, message]));
  const wanted = new Map<string, readonly string[]>();
  const add = (name: string, without: readonly string[]): void => {
    if (wanted.has(name)) return;
    const message = byName.get(name);
    if (message === undefined) throw new Error(`there is no message ${name}`);
    wanted.set(name, without);
    for (const field of message.fields.filter((candidate) => !without.includes(candidate.name))) {
      const { type, typeName } = field.mapValue ?? field;
      if (typeName !== undefined && scalarOf(type, typeName) === undefined) add(typeName, []);
    }
  };
  for (const { message, without } of BODIES) add(message, without ?? []);

  const used = messages.filter((message) => wanted.has(`${message.package}.${message.name}`));
  const bySubsystem = Map.groupBy(used, (message) => subsystemOf(message.package));
  return new Map(
    [...bySubsystem].map(([subsystem, own]) => {
      const imports = new Set<string>();
      const decorators = new Set<string>();
      const classes = own.map((message) => {
        const without = wanted.get(`${message.package}.${message.name}`) ?? [];
        return classText(subsystem, message, without, imports, decorators);
      });
      const text = [
        '// Generated from proto/, see libs/contracts/tools/dtos.ts.',
        `import { ${[...decorators].sort().join(', ')} } from '../../dto/decorators.ts';`,
        "import type { Optional } from '../../dto/decorators.ts';",
        ...[...imports].sort().map((other) => `import * as ${other} from './${other}.ts';`),
        '',
        classes.join('\n'),
      ].join('\n');
      return [subsystem, text];
    }),
  );
}

function classText(
  subsystem: string,
  message: MessageDescriptor,
  without: readonly string[],
  imports: Set<string>,
  decorators: Set<string>,
): string {
  const members = message.fields
    .filter((field) => !without.includes(field.name))
    .map((field) => memberText(subsystem, field, imports, decorators));
  return `export class ${message.name}Dto {\n${members.join('\n')}}\n`;
}

function memberText(
  subsystem: string,
  field: FieldDescriptor,
  imports: Set<string>,
  decorators: Set<string>,
): string {
  const label = labelOf(field);
  const { type, typeName } = field.mapValue ?? field;
  // What an integer may stand for is checked where the text is read.
  const scalar = field.json.integerAsText === true ? 'value' : scalarOf(type, typeName);
  let decorator: string;
  let argument: string;
  let element: string;
  if (scalar !== undefined) {
    decorator = { one: 'Scalar', optional: 'Scalar', list: 'ScalarList', map: 'ScalarMap' }[label];
    argument = `'${scalar}'`;
    element = TS_TYPES[scalar] ?? 'unknown';
  } else {
    const full = typeName ?? '';
    const target = subsystemOf(full.slice(0, full.lastIndexOf('.')));
    const name = `${full.slice(full.lastIndexOf('.') + 1)}Dto`;
    if (target !== subsystem) imports.add(target);
    element = target === subsystem ? name : `${target}.${name}`;
    decorator = { one: 'Nested', optional: 'Nested', list: 'NestedList', map: 'NestedMap' }[label];
    argument = `() => ${element}`;
  }
  decorators.add(decorator);
  const member = {
    one: element,
    optional: element,
    list: `(${element})[]`,
    map: `Record<string, ${element}>`,
  }[label];
  const key = field.json.key ?? field.name;
  return `  @${decorator}(${argument})\n  declare ${/^\w+$/.test(key) ? key : `'${key}'`}?: Optional<${member}>;\n`;
}
