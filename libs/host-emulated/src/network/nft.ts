/** nft(8) with `--json` (libnftables-json(5)): a transaction is taken as a whole or refused, and rules are listed. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { NftRefusal, type NftTable, tableOf } from './nft-tables.ts';
import { NftSyntaxError, parseCommands } from './nft-json.ts';

interface Options {
  json: boolean;
  check: boolean;
  file: string | undefined;
}

export const nft: Tool = async (call) => {
  const options: Options = { json: false, check: false, file: undefined };
  const words = [...call.args];
  while (words[0]?.startsWith('-') === true) {
    const word = words.shift() ?? '';
    if (/^(?:-j|--json)$/u.test(word)) options.json = true;
    else if (/^(?:-c|--check)$/u.test(word)) options.check = true;
    else if (/^(?:-f|--file)$/u.test(word)) options.file = words.shift() ?? '';
    else return failure(`nft: unrecognized option '${word}'`);
  }
  if (!options.json) return failure('Error: the emulated nft speaks JSON only (--json)');
  if (options.file !== undefined) return transaction(call, options.file, options.check);
  return list(call, words);
};

async function transaction(call: ToolCall, file: string, check: boolean): Promise<ToolResult> {
  const { machine, files, stdin } = call;
  const text = file === '-' ? stdin : await files.readText(file);
  try {
    const commands = parseCommands(text);
    const take = (tables: NftTable[]): void => {
      for (const command of commands) command(tables);
    };
    if (check) take(structuredClone(machine.read().network.nftables));
    else
      await machine.change(({ network }) => {
        const next = structuredClone(network.nftables);
        take(next);
        network.nftables = next;
      });
    return {};
  } catch (error) {
    if (error instanceof NftSyntaxError)
      return failure(error.lines.map((line) => `internal:0:0-0: Error: ${line}\n\n`).join(''));
    if (error instanceof NftRefusal)
      return failure(`internal:0:0-0: Error: Could not process rule: ${error.message}\n\n\n`);
    throw error;
  }
}

function list({ machine }: ToolCall, words: readonly string[]): ToolResult {
  const { nftables } = machine.read().network;
  const [verb, what, family = '', name = ''] = words;
  if (verb !== 'list') return failure(`Error: syntax error, unexpected ${verb ?? 'end of file'}`);
  if (what === 'ruleset' && family === '') return { stdout: listing(nftables) };
  if (what === 'table' && name !== '') {
    try {
      return { stdout: listing([tableOf(nftables, family, name)]) };
    } catch {
      return failure(`Error: No such file or directory\nlist table ${family} ${name}\n`);
    }
  }
  return failure(`Error: syntax error, unexpected ${what ?? 'end of file'}`);
}

function listing(tables: readonly NftTable[]): string {
  const objects = [
    { metainfo: { version: '1.1.3', release_name: 'Commodore Bullmoose #4', json_schema_version: 1 } },
    ...tables.flatMap(({ family, name: table, handle, chains }) => [
      { table: { family, name: table, handle } },
      ...chains.map((chain) => ({ chain: chainObject(family, table, chain) })),
      ...chains.flatMap(({ name: chain, rules }) =>
        rules.map((rule) => ({ rule: { family, table, chain, ...rule } })),
      ),
    ]),
  ];
  return `${JSON.stringify({ nftables: objects })}\n`;
}

function chainObject(
  family: string,
  table: string,
  { name, handle, type, hook, prio, policy }: NftTable['chains'][number],
): Record<string, unknown> {
  return { family, table, name, handle, type, hook, prio, policy };
}
