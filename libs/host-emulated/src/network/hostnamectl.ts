/** hostnamectl(1): shows and sets the host name. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';

export const hostnamectl: Tool = async (call) => {
  const words = call.args.filter((arg) => !arg.startsWith('--') && arg !== '-j');
  const unknown = call.args.find(
    (arg) =>
      arg.startsWith('--') &&
      !/^--(?:static|transient|pretty|no-ask-password|json=(?:short|pretty|off))$/u.test(arg),
  );
  if (unknown !== undefined) return failure(`hostnamectl: unrecognized option '${unknown}'`);
  const [verb = 'status', name] = words;
  switch (verb) {
    case 'hostname':
    case 'set-hostname':
      if (name === undefined) return { stdout: `${call.machine.read().network.host_name}\n` };
      return set(call, name);
    case 'status': {
      const hostname = call.machine.read().network.host_name;
      const json = call.args.some((arg) => arg === '-j' || /^--json=(?:short|pretty)$/u.test(arg));
      return {
        stdout: json
          ? `${JSON.stringify({ Hostname: hostname, StaticHostname: hostname })}\n`
          : ` Static hostname: ${hostname}\n`,
      };
    }
    default:
      return failure(`Unknown command verb '${verb}'.`);
  }
};

async function set({ machine, files }: ToolCall, name: string): Promise<ToolResult> {
  if (name.length > 64 || !/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/u.test(name)) {
    return failure(`Could not set static hostname: Invalid static hostname '${name}'`);
  }
  await machine.change(({ network }) => {
    network.host_name = name;
  });
  await files.writeAtomic('/etc/hostname', `${name}\n`);
  await files.writeAtomic('/proc/sys/kernel/hostname', `${name}\n`);
  return {};
}
