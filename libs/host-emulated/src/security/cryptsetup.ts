/** `cryptsetup` for LUKS2, in the words and with the exit codes of cryptsetup 2.7 (cryptsetup(8)). */
import { parseArgs } from 'node:util';
import { failure, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { addKeyslot, canonicalDevice, headerOf, metadata, newHeader, removeKeyslot, slotOf } from './luks.ts';
import { closeMapping, freeMinor, openMapping } from './mappings.ts';
import type { LuksDevice } from './section.ts';

const usage = 'Usage: cryptsetup [OPTION...] <action> <action-specific>\n';

/** cryptsetup(8), "RETURN CODES". */
const exit = { wrongParameters: 1, noPermission: 2, wrongDevice: 4, busy: 5 } as const;

const options = {
  'batch-mode': { type: 'boolean', short: 'q' },
  'key-file': { type: 'string', short: 'd' },
  'new-keyfile': { type: 'string' },
  'key-slot': { type: 'string', short: 'S' },
  type: { type: 'string', short: 'M' },
  'test-passphrase': { type: 'boolean' },
  'dump-json-metadata': { type: 'boolean' },
  'allow-discards': { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  version: { type: 'boolean', short: 'V' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values'];

interface Request {
  readonly call: ToolCall;
  readonly values: Values;
  readonly args: readonly string[];
}

type Action = { readonly needs: readonly string[]; readonly run: (request: Request) => Promise<ToolResult> };

export async function cryptsetup(call: ToolCall): Promise<ToolResult> {
  let parsed;
  try {
    parsed = parseArgs({ args: [...call.args], options, allowPositionals: true });
  } catch (error) {
    const option = error instanceof Error ? (/'(?:-\w, )?(--?[\w-]+)/u.exec(error.message)?.[1] ?? '') : '';
    return { exitCode: exit.wrongParameters, stderr: `${option}: unknown option\n${usage}` };
  }
  const { values, positionals } = parsed;
  if (values.version === true)
    return { stdout: 'cryptsetup 2.7.5 flags: UDEV BLKID KEYRING FIPS KERNEL_CAPI HW_OPAL\n' };
  const [name, ...args] = positionals;
  const action = name === undefined ? undefined : actions[name];
  if (name === undefined || action === undefined) {
    return { exitCode: exit.wrongParameters, stderr: `${usage}cryptsetup: Unknown action.\n` };
  }
  if (args.length < action.needs.length) {
    return {
      exitCode: exit.wrongParameters,
      stderr: `${usage}cryptsetup: ${name}: requires ${action.needs.join(' ')} as arguments\n`,
    };
  }
  return action.run({ call, values, args });
}

function notThere(device: string): ToolResult {
  return failure(`Device ${device} does not exist or access denied.`, exit.wrongDevice);
}

function notLuks(device: string): ToolResult {
  return failure(`Device ${device} is not a valid LUKS device.`, exit.wrongParameters);
}

const wrongPassphrase = failure('No key available with this passphrase.', exit.noPermission);
const noInput = failure('Nothing to read on input.', exit.wrongParameters);

/** A passphrase as bytes in latin1 text: from a file, or with `-` all of standard input. */
async function keyFrom({ call }: Request, path: string | undefined): Promise<string | ToolResult> {
  if (path === undefined || path === '-') {
    if (call.stdin === '') return noInput;
    const typed = Buffer.from(call.stdin, 'utf8').toString('latin1');
    // Without `--key-file` a passphrase is a line.
    return path === undefined ? (typed.split('\n')[0] ?? '') : typed;
  }
  if (!(await call.files.exists(path))) return failure(`Failed to open key file.`, exit.wrongParameters);
  return (await call.files.readBytes(path)).toString('latin1');
}

/** Runs `edit` on the header of the device that the first argument names. */
async function withHeader(
  { call, args }: Request,
  edit: (header: LuksDevice) => ToolResult | Promise<ToolResult>,
): Promise<ToolResult> {
  const [device = ''] = args;
  if ((await canonicalDevice(call.files, device)) === undefined) return notThere(device);
  return call.machine.change(async ({ security }) => {
    const header = await headerOf(security, call.files, device);
    return header === undefined ? notLuks(device) : edit(header);
  });
}

async function readHeader(
  { call, args }: Request,
  show: (header: LuksDevice) => ToolResult,
): Promise<ToolResult> {
  const [device = ''] = args;
  if ((await canonicalDevice(call.files, device)) === undefined) return notThere(device);
  const header = await headerOf(call.machine.read().security, call.files, device);
  return header === undefined ? notLuks(device) : show(header);
}

async function luksFormat(request: Request): Promise<ToolResult> {
  const { call, args, values } = request;
  const [device = '', keyFile] = args;
  if (values.type !== undefined && values.type !== 'luks2' && values.type !== 'luks') {
    return failure(`Unsupported encryption type ${values.type}.`, exit.wrongParameters);
  }
  if (values['batch-mode'] !== true) return failure('Operation aborted.', exit.wrongParameters);
  if ((await canonicalDevice(call.files, device)) === undefined) return notThere(device);
  const key = await keyFrom(request, keyFile ?? values['key-file']);
  if (typeof key !== 'string') return key;
  return call.machine.change(async ({ security }) => {
    const old = await headerOf(security, call.files, device);
    if (old !== undefined && security.mappings.some((mapping) => mapping.device === old.device)) {
      return failure(`Cannot exclusively open ${device}, device in use.`, exit.wrongParameters);
    }
    security.luks = security.luks.filter((known) => known !== old);
    const header = newHeader(device);
    addKeyslot(header, key);
    security.luks.push(header);
    return {};
  });
}

async function luksAddKey(request: Request): Promise<ToolResult> {
  const existing = await keyFrom(request, request.values['key-file']);
  if (typeof existing !== 'string') return existing;
  const added = await keyFrom(request, request.args[1] ?? request.values['new-keyfile'] ?? '-');
  if (typeof added !== 'string') return added;
  return withHeader(request, (header) => {
    if (slotOf(header, existing) === undefined) return wrongPassphrase;
    const slot = addKeyslot(header, added);
    if (slot === undefined) return failure('All key slots full.', exit.wrongParameters);
    return request.values.verbose === true
      ? { stdout: `Key slot ${slot} created.\nCommand successful.\n` }
      : {};
  });
}

async function luksRemoveKey(request: Request): Promise<ToolResult> {
  const key = await keyFrom(request, request.args[1] ?? request.values['key-file']);
  if (typeof key !== 'string') return key;
  return withHeader(request, (header) => {
    const slot = slotOf(header, key);
    if (slot === undefined) return wrongPassphrase;
    removeKeyslot(header, slot);
    return {};
  });
}

async function luksKillSlot(request: Request): Promise<ToolResult> {
  const [, slot = ''] = request.args;
  const key =
    request.values['batch-mode'] === true && request.values['key-file'] === undefined
      ? undefined
      : await keyFrom(request, request.values['key-file']);
  if (typeof key === 'object') return key;
  return withHeader(request, (header) => {
    if (header.keyslots[slot] === undefined)
      return failure(`Keyslot ${slot} is not active.`, exit.wrongParameters);
    const opened = key === undefined ? undefined : slotOf(header, key);
    if (key !== undefined && (opened === undefined || opened === slot)) return wrongPassphrase;
    removeKeyslot(header, slot);
    return {};
  });
}

async function open(request: Request): Promise<ToolResult> {
  const { call, args, values } = request;
  const [device = '', name] = args;
  if (values['test-passphrase'] !== true && name === undefined) {
    return {
      exitCode: exit.wrongParameters,
      stderr: `${usage}cryptsetup: open: requires <device> <name> as arguments\n`,
    };
  }
  const key = await keyFrom(request, values['key-file']);
  if (typeof key !== 'string') return key;
  const result = await withHeader(request, (header) => {
    const slot = slotOf(header, key, values['key-slot']);
    const told = (text: string): { stdout?: string } =>
      values.verbose === true ? { stdout: `No usable token is available.\n${text}\n` } : {};
    return slot === undefined
      ? {
          ...wrongPassphrase,
          ...told('Command failed with code -2 (no permission or bad passphrase).'),
        }
      : told(`Key slot ${slot} unlocked.\nCommand successful.`);
  });
  if (values['test-passphrase'] === true || (result.exitCode ?? 0) !== 0 || name === undefined) return result;
  const minor = await call.machine.change(({ security }) => {
    if (security.mappings.some((mapping) => mapping.name === name)) return undefined;
    const free = freeMinor(security);
    security.mappings.push({ name, device, minor: free });
    return free;
  });
  if (minor === undefined) return failure(`Device ${name} already exists.`, exit.busy);
  await openMapping(call.files, name, minor);
  return result;
}

async function close({ call, args: [name = ''] }: Request): Promise<ToolResult> {
  const closed = await call.machine.change(({ security }) => {
    const mapping = security.mappings.find((open) => open.name === name);
    security.mappings = security.mappings.filter((open) => open !== mapping);
    return mapping;
  });
  if (closed === undefined) return failure(`Device ${name} is not active.`, exit.wrongDevice);
  await closeMapping(call.files, name, closed.minor);
  return {};
}

async function status({ call, args: [name = ''] }: Request): Promise<ToolResult> {
  const mapping = call.machine.read().security.mappings.find((open) => open.name === name);
  if (mapping === undefined)
    return { exitCode: exit.wrongDevice, stdout: `/dev/mapper/${name} is inactive.\n` };
  const device = (await canonicalDevice(call.files, mapping.device)) ?? mapping.device;
  const lines = [
    'type:    LUKS2',
    'cipher:  aes-xts-plain64',
    'keysize: 512 bits',
    'key location: keyring',
    `device:  ${device}`,
  ];
  return {
    stdout: `/dev/mapper/${name} is active and is in use.\n${lines.map((line) => `  ${line}\n`).join('')}  mode:    read/write\n`,
  };
}

async function luksDump(request: Request): Promise<ToolResult> {
  const json = request.values['dump-json-metadata'] === true;
  if (!json)
    return failure('This cryptsetup shows a header with --dump-json-metadata only.', exit.wrongParameters);
  return readHeader(request, (header) => ({ stdout: JSON.stringify(metadata(header), undefined, 2) }));
}

async function isLuks(request: Request): Promise<ToolResult> {
  const { exitCode = 0 } = await readHeader(request, () => ({}));
  return { exitCode };
}

const device = ['<device>'] as const;
const actions: Readonly<Record<string, Action>> = {
  luksFormat: { needs: device, run: luksFormat },
  luksAddKey: { needs: device, run: luksAddKey },
  luksRemoveKey: { needs: device, run: luksRemoveKey },
  luksKillSlot: { needs: ['<device>', '<key slot>'], run: luksKillSlot },
  luksDump: { needs: device, run: luksDump },
  luksUUID: { needs: device, run: (request) => readHeader(request, ({ uuid }) => ({ stdout: `${uuid}\n` })) },
  isLuks: { needs: device, run: isLuks },
  open: { needs: device, run: open },
  luksOpen: { needs: device, run: open },
  close: { needs: ['<name>'], run: close },
  luksClose: { needs: ['<name>'], run: close },
  status: { needs: ['<name>'], run: status },
};
