/** How the text of a unit file changed, short enough to be read at a glance. */

/**
 * The lines that go (`-`) and come (`+`), below the headings (`[Section]`) that they are in. Empty for equal texts.
 */
export function lineDiff(before: string, after: string): string {
  const old = linesOf(before);
  const wanted = linesOf(after);
  const common = commonLengths(old, wanted);
  const lengthAt = (i: number, j: number): number => common[i]?.[j] ?? 0;
  const shown: string[] = [];
  let heading = '';
  const show = (sign: '-' | '+', line: string): void => {
    if (heading !== '') shown.push(` ${heading}`);
    heading = '';
    shown.push(`${sign}${line}`);
  };
  let [i, j] = [0, 0];
  while (i < old.length || j < wanted.length) {
    const [gone, come] = [old[i], wanted[j]];
    if (gone !== undefined && gone === come) {
      if (gone.startsWith('[')) heading = gone;
      i += 1;
      j += 1;
    } else if (gone !== undefined && (come === undefined || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      show('-', gone);
      i += 1;
    } else if (come !== undefined) {
      show('+', come);
      j += 1;
    }
  }
  return shown.join('\n');
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Lengths of the longest common subsequences of what follows each pair of places. */
function commonLengths(old: readonly string[], wanted: readonly string[]): number[][] {
  const lengths = Array.from({ length: old.length + 1 }, () => Array<number>(wanted.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = wanted.length - 1; j >= 0; j -= 1) {
      const row = lengths[i] ?? [];
      const below = lengths[i + 1] ?? [];
      row[j] = old[i] === wanted[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}
