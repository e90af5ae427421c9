/** Traffic counters from `/proc/net/dev`, one read for all devices (proc_net_dev(5)). */

export interface Counters {
  readonly rxBytes: bigint;
  readonly rxErrors: bigint;
  readonly txBytes: bigint;
  readonly txErrors: bigint;
}

export function parseCounters(content: string): Map<string, Counters> {
  const counters = new Map<string, Counters>();
  for (const line of content.split('\n')) {
    const match = /^\s*([^\s:]+(?::[^\s:]+)?):\s*([\d\s]+)$/u.exec(line);
    const fields = match?.[2]?.trim().split(/\s+/u) ?? [];
    const [rxBytes, , rxErrors, , , , , , txBytes, , txErrors] = fields;
    if (rxBytes === undefined || rxErrors === undefined || txBytes === undefined || txErrors === undefined)
      continue;
    counters.set(match?.[1] ?? '', {
      rxBytes: BigInt(rxBytes),
      rxErrors: BigInt(rxErrors),
      txBytes: BigInt(txBytes),
      txErrors: BigInt(txErrors),
    });
  }
  return counters;
}
