/** Writes systemd's file format (systemd.syntax(7)): sections of `Key=value` lines, with an empty line between them. */

export type Lines = readonly string[];

export interface Section {
  readonly name: string;
  readonly lines: Lines;
}

/** Sections without a line are left out. */
export function unitText(...sections: readonly Section[]): string {
  return sections
    .filter(({ lines }) => lines.length > 0)
    .map(({ name, lines }) => `[${name}]\n${lines.map((line) => `${line}\n`).join('')}`)
    .join('\n');
}

export function section(
  name: string,
  ...lines: readonly (string | readonly string[] | undefined)[]
): Section {
  return { name, lines: lines.flat().filter((line) => line !== undefined) };
}
