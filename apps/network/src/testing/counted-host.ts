/** A machine that tells of everything that is about to change it, in the order in which it happens. */
import type { Host } from '@incusos/host';

/** Programs that only look, and what goes on in the background of every change. */
const looks =
  /^(?:ip (?:-\S+ )*(?:address|link|route) show|ip monitor|networkctl (?:list|status|lldp)|timedatectl show|hostnamectl hostname$|systemctl is-active|systemctl restart systemd-timesyncd|resolvectl query|nft --json --check)/u;

/**
 * @param before called before each change with what it is, such as `write /etc/hosts`; the change happens when it
 * returns.
 */
export function countedHost(host: Host, before: (operation: string) => Promise<void>): Host {
  const { files, programs } = host;
  const told =
    <A extends readonly [string, ...unknown[]], R>(what: string, work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await before(`${what} ${args[0]}`);
      return work(...args);
    };
  return {
    files: {
      resolve: (path) => files.resolve(path),
      readText: (path) => files.readText(path),
      readBytes: (path) => files.readBytes(path),
      readStream: (path, range) => files.readStream(path, range),
      exists: (path) => files.exists(path),
      stat: (path) => files.stat(path),
      list: (directory) => files.list(directory),
      readLink: (path) => files.readLink(path),
      realPath: (path) => files.realPath(path),
      space: (path) => files.space(path),
      watch: (directory, onChange) => files.watch(directory, onChange),
      connect: (path) => files.connect(path),
      writeAtomic: told('write', files.writeAtomic.bind(files)),
      writeInPlace: told('write', files.writeInPlace.bind(files)),
      append: told('append to', files.append.bind(files)),
      makeDirectory: told('make', files.makeDirectory.bind(files)),
      makeSymlink: told('link', files.makeSymlink.bind(files)),
      rename: told('rename', files.rename.bind(files)),
      remove: told('remove', files.remove.bind(files)),
    },
    programs: {
      run: async (argv, options) => {
        const command = argv.join(' ');
        if (!looks.test(command)) await before(command);
        return programs.run(argv, options);
      },
      stream: (argv, options) => programs.stream(argv, options),
    },
  };
}
