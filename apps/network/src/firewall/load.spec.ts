import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemNetworkConfig } from '@incusos/contracts/network';
import { type Host, ProgramError } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkFirewall, loadFirewall } from './load.ts';

const closed = SystemNetworkConfig.fromPartial({
  interfaces: [{ name: 'lan', hwaddr: '10:66:6a:00:00:01', firewall_rules: [{ action: 'drop' }] }],
});
const open = SystemNetworkConfig.fromPartial({
  interfaces: [{ name: 'lan', hwaddr: '10:66:6a:00:00:01' }],
});

describe('the rules of a configuration', () => {
  let machine: EmulatedMachine;
  let host: Host;
  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'net-nft-')));
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
  });
  afterEach(() => rmSync(machine.directory, { recursive: true, force: true }));

  const inputRules = (): number =>
    machine
      .read()
      .network.nftables.flatMap(({ chains }) => chains)
      .filter(({ name }) => name === 'input')
      .reduce((count, { rules }) => count + rules.length, 0);

  it('take the place of those before, however often they are loaded', async () => {
    await loadFirewall(host, closed);
    await loadFirewall(host, closed);
    expect(inputRules()).toBe(6);
    await loadFirewall(host, open);
    expect(inputRules()).toBe(0);
  });

  it('are only checked when that is what was asked for', async () => {
    await checkFirewall(host, closed);
    expect(machine.read().network.nftables).toEqual([]);
  });

  it('leave the earlier ones in force when the kernel refuses them, and say why', async () => {
    await loadFirewall(host, closed);
    const refusing: Host = {
      files: host.files,
      programs: {
        stream: (argv, options) => host.programs.stream(argv, options),
        run: (argv, options) =>
          host.programs.run(argv, {
            ...options,
            stdin: String(options?.stdin).replace('{"drop":null}', '{"drp":null}'),
          }),
      },
    };
    await expect(loadFirewall(refusing, closed)).rejects.toThrow(
      "the firewall rules could not be loaded: Unknown statement object 'drp'.",
    );
    expect(inputRules()).toBe(6);
  });

  it('need nft', async () => {
    const run = (): Promise<never> =>
      Promise.reject(new ProgramError('not-found', 'nft', '', undefined, "program nft isn't installed"));
    const bare: Host = { files: host.files, programs: { ...host.programs, run } };
    await expect(loadFirewall(bare, open)).rejects.toThrow(
      "the firewall rules could not be loaded: program nft isn't installed",
    );
  });
});
