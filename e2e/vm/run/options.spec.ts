import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultDescription } from '../hardware/description.ts';
import { describedBy, runOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

describe('the options of npm run vm', () => {
  it.each([
    [{ port: '0' }, 'the port is from 1 to 65535, and not 0'],
    [{ port: '' }, 'the port is from 1 to 65535'],
    [{ port: '9443x' }, 'and not 9443x'],
    [{ memory: '100' }, 'MiB of memory is from 1024'],
    [{ timeout: '0' }, 'the number of minutes is from 1'],
    [{ accel: 'xen' }, 'there is no accelerator xen; kvm and tcg are'],
    [{ drive: ['a:1GiB', 'nvme:a:2GiB'] }, 'the drive a is there twice'],
    [{ nic: ['lan', 'lan=socket:5000'] }, 'the NIC lan is there twice'],
    [{ credential: ['name'] }, 'the credential name is not of the form NAME=FILE'],
    [{ seed: '/nowhere/seed' }, 'there is no seed at /nowhere/seed'],
    [{ image: '/nowhere.raw' }, 'there is no image at /nowhere.raw'],
  ])('%j are refused with a sentence', (options, sentence) => {
    expect(() => runOptions(options)).toThrow(sentence);
    expect(() => runOptions(options)).toThrow(UsageError);
  });

  it('change what they name of a machine that is there, and leave the rest', () => {
    const kept = { ...defaultDescription, memory: 8192, tpm: false, port: 9500 };
    const described = describedBy(kept, runOptions({ port: '9600', drive: ['a:1GiB'], nic: ['lan'] }));
    expect(described).toMatchObject({ memory: 8192, tpm: false, port: 9600 });
    expect(described.drives.map(({ id }) => id)).toEqual(['a']);
    expect(described.nics.map(({ name }) => name)).toEqual(['enp5s0', 'lan']);
    expect(describedBy(described, runOptions({ tpm: true })).tpm).toBe(true);
  });

  it('can be given again as they are', () => {
    const options = runOptions({ drive: ['a:1GiB', 'nvme:b:1GiB'], nic: ['lan=socket:5000'] });
    const once = describedBy(defaultDescription, options);
    expect(describedBy(once, options)).toEqual(once);
  });

  it('can not make a drive another one', () => {
    const once = describedBy(defaultDescription, runOptions({ drive: ['a:1GiB'] }));
    expect(() => describedBy(once, runOptions({ drive: ['a:2GiB'] }))).toThrow(
      "drive 'a' is plugged in already",
    );
  });
});

describe('where npm was called', () => {
  const before = process.env['INIT_CWD'];
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'vm-'));
    process.env['INIT_CWD'] = directory;
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
    if (before === undefined) delete process.env['INIT_CWD'];
    else process.env['INIT_CWD'] = before;
  });

  it('is where a relative directory begins', () => {
    expect(runOptions({ dir: 'mine' }).directory).toBe(join(directory, 'mine'));
  });
});
