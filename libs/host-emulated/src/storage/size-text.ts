/** A size as ZFS' tools print it for people (zfs_nicenum): up to three digits and a letter, such as `9.5G`. */
export function sizeText(bytes: number): string {
  const step = bytes < 1024 ? 0 : Math.min(5, Math.floor(Math.log2(bytes) / 10));
  if (step === 0) return `${bytes}B`;
  const amount = bytes / 1024 ** step;
  const digits = Number.isInteger(amount) || amount >= 100 ? 0 : amount >= 10 ? 1 : 2;
  return `${amount.toFixed(digits)}${'KMGTP'.charAt(step - 1)}`;
}

const units: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Bytes from a size as these tools take it, such as `16K`; `undefined` when it is none. */
export function sizeBytes(text: string): number | undefined {
  if (text === 'none') return 0;
  const match = /^(\d+)([KMGT]?)B?$/iu.exec(text);
  return match === null ? undefined : Number(match[1]) * (units[(match[2] ?? '').toUpperCase()] ?? 1);
}
