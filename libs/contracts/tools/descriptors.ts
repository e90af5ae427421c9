/** Reads the descriptors that `buf build` writes as JSON, as far as the generators need them. */
import { readFileSync } from 'node:fs';

/** A field with its REST option. */
export interface FieldDescriptor {
  readonly name: string;
  /** `TYPE_STRING`, ... */
  readonly type: string;
  /** Full name of a message type without the leading dot. */
  readonly typeName: string | undefined;
  readonly repeated: boolean;
  readonly optional: boolean;
  readonly inOneof: boolean;
  /** Of a map, the type of its values. */
  readonly mapValue: { readonly type: string; readonly typeName: string | undefined } | undefined;
  readonly json: JsonOption;
}

/** `incusos.rest.v1.Json`, see options.proto. */
export interface JsonOption {
  readonly empty?: string;
  readonly key?: string;
  readonly volatile?: boolean;
  readonly integerAsText?: boolean;
}

/** A message at the top level of a file. */
export interface MessageDescriptor {
  /** Name without package. */
  readonly name: string;
  /** e.g. `incusos.network.v1` */
  readonly package: string;
  /** Path of the proto file below proto/, without `.proto`. */
  readonly file: string;
  readonly fields: readonly FieldDescriptor[];
}

interface RawField {
  name: string;
  label: string;
  type: string;
  typeName?: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
  options?: Record<string, JsonOption>;
}

interface RawMessage {
  name: string;
  field?: RawField[];
  nestedType?: RawMessage[];
  options?: { mapEntry?: boolean };
}

interface RawImage {
  file: { name: string; package: string; messageType?: RawMessage[] }[];
}

/** All messages of our own packages, in the order of their files. */
export function readImage(path: string): MessageDescriptor[] {
  const image = JSON.parse(readFileSync(path, 'utf8')) as RawImage;
  return image.file
    .filter((file) => file.package.startsWith('incusos.'))
    .flatMap((file) =>
      (file.messageType ?? []).map((message) => ({
        name: message.name,
        package: file.package,
        file: file.name.replace(/\.proto$/, ''),
        fields: (message.field ?? []).map((field) => describeField(field, message)),
      })),
    );
}

function describeField(field: RawField, owner: RawMessage): FieldDescriptor {
  const entry = owner.nestedType?.find(
    (nested) =>
      nested.options?.mapEntry === true && field.typeName?.endsWith(`.${owner.name}.${nested.name}`),
  );
  const value = entry?.field?.find(({ name }) => name === 'value');
  return {
    name: field.name,
    type: field.type,
    typeName: field.typeName?.slice(1),
    repeated: field.label === 'LABEL_REPEATED',
    optional: field.proto3Optional === true,
    inOneof: field.oneofIndex !== undefined && field.proto3Optional !== true,
    mapValue: value && { type: value.type, typeName: value.typeName?.slice(1) },
    json: field.options?.['[incusos.rest.v1.json]'] ?? {},
  };
}

/** Short name of the package a message is in: `network` for `incusos.network.v1`. */
export function subsystemOf(packageName: string): string {
  const name = /^incusos\.(\w+)\.v\d+$/.exec(packageName)?.[1];
  if (name === undefined) throw new Error(`unexpected package ${packageName}`);
  return name;
}
