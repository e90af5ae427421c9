/**
 * The files of a machine. Paths are the appliance's own and absolute; an implementation may keep them below
 * another directory. A path can't climb out of that directory by `..`.
 */
import { constants, createReadStream, watch as watchPath, type Stats } from 'node:fs';
import {
  access,
  appendFile,
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  statfs,
  symlink,
} from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { dirname, join, posix } from 'node:path';
import type { Duplex, Readable } from 'node:stream';

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Permission bits, such as `0o600`. */
  readonly mode: number;
  readonly modifiedAt: Date;
}

/** Sizes in bytes, as statvfs(3) gives them. */
export interface FileSystemSpace {
  readonly total: bigint;
  /** Free to users other than root. */
  readonly available: bigint;
}

export interface WriteOptions {
  /** Permission bits of the new file; `0o644` unless given. */
  readonly mode?: number;
  /** Name of the group that the new file belongs to, as the machine knows it; the writer's own unless given. */
  readonly group?: string;
  /** Keeps the file that is replaced under this path, as a hard link made before the change. */
  readonly keepPreviousAs?: string;
}

/** Bytes of a file from `start` to `end`, both included and counted from 0. */
export interface ByteRange {
  readonly start?: number;
  readonly end?: number;
}

export interface Watcher {
  close(): void;
}

export interface Files {
  /** The path by which the kernel of this process reaches the file, for sockets and for programs outside the machine. */
  resolve(path: string): string;
  /** @throws NodeJS.ErrnoException, as all of these do, with `code` such as `ENOENT`. */
  readText(path: string): Promise<string>;
  readBytes(path: string): Promise<Buffer>;
  /** A file or a block device, read as it is consumed. Whoever stops before the end destroys the stream. */
  readStream(path: string, range?: ByteRange): Readable;
  exists(path: string): Promise<boolean>;
  /** What the path itself is; a symlink is not followed. `undefined` when nothing is there. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Names in a directory, sorted; empty when there is no such directory. */
  list(directory: string): Promise<string[]>;
  readLink(path: string): Promise<string>;
  /** The path with every symlink resolved, as the appliance names it. */
  realPath(path: string): Promise<string>;
  /**
   * Replaces a file as a whole: temporary sibling, fsync, rename, fsync of the directory. After a crash the old
   * or the new content is there. Missing parent directories are made.
   */
  writeAtomic(path: string, data: string | Uint8Array, options?: WriteOptions): Promise<void>;
  /** Writes into an existing file without replacing it: the way of sysfs, procfs and devices. */
  writeInPlace(path: string, data: string): Promise<void>;
  append(path: string, data: string): Promise<void>;
  /** Makes a directory and its parents; sets `mode` on the last one even if it exists. */
  makeDirectory(path: string, mode?: number): Promise<void>;
  makeSymlink(target: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole directory; nothing happens when it isn't there. */
  remove(path: string): Promise<void>;
  space(path: string): Promise<FileSystemSpace>;
  /** Calls back after anything in the directory changed; several changes may come as one call. */
  watch(directory: string, onChange: () => void): Watcher;
  /** Connects to the unix socket of a daemon. Whoever is done with the connection destroys it. */
  connect(path: string): Promise<Duplex>;
}

function fileKind(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files of the machine this process runs on, below a root directory. */
export class LocalFiles implements Files {
  constructor(private readonly root: string) {}

  resolve(path: string): string {
    if (!path.startsWith('/')) throw new Error(`path ${path} is not absolute`);
    return join(this.root, posix.normalize(path));
  }

  readText(path: string): Promise<string> {
    return readFile(this.resolve(path), 'utf8');
  }

  readBytes(path: string): Promise<Buffer> {
    return readFile(this.resolve(path));
  }

  readStream(path: string, range: ByteRange = {}): Readable {
    return createReadStream(this.resolve(path), range);
  }

  async exists(path: string): Promise<boolean> {
    return access(this.resolve(path)).then(
      () => true,
      () => false,
    );
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      const stats = await lstat(this.resolve(path));
      return { kind: fileKind(stats), size: stats.size, mode: stats.mode & 0o7777, modifiedAt: stats.mtime };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async list(directory: string): Promise<string[]> {
    try {
      return (await readdir(this.resolve(directory))).toSorted();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  readLink(path: string): Promise<string> {
    return readlink(this.resolve(path));
  }

  async realPath(path: string): Promise<string> {
    // Links on a machine kept below a directory point at that machine's own paths, so each is followed here.
    let current = posix.normalize(path);
    for (let followed = 0; followed < 40; followed += 1) {
      const stats = await lstat(this.resolve(current));
      if (!stats.isSymbolicLink()) {
        if (this.root === '/') return realpath(current);
        return current;
      }
      current = posix.resolve(posix.dirname(current), await readlink(this.resolve(current)));
    }
    throw Object.assign(new Error(`too many symbolic links: ${path}`), { code: 'ELOOP' });
  }

  async writeAtomic(path: string, data: string | Uint8Array, options: WriteOptions = {}): Promise<void> {
    const target = this.resolve(path);
    const directory = dirname(target);
    await mkdir(directory, { recursive: true });
    const temporary = join(directory, `.${randomBytes(6).toString('hex')}.tmp`);
    const mode = options.mode ?? 0o644;
    try {
      const handle = await open(temporary, 'wx', mode);
      try {
        // Nobody reads what isn't theirs yet.
        if (options.group !== undefined) await this.giveTo(handle, options.group);
        await handle.writeFile(data);
        // The umask may have taken bits away.
        await handle.chmod(mode);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (options.keepPreviousAs !== undefined) await this.keep(target, this.resolve(options.keepPreviousAs));
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(directory);
  }

  /** @throws Error when the machine has no such group. */
  protected async giveTo(handle: FileHandle, group: string): Promise<void> {
    const line = (await this.readText('/etc/group')).split('\n').find((one) => one.startsWith(`${group}:`));
    const id = Number(line?.split(':')[2] ?? Number.NaN);
    if (!Number.isInteger(id)) throw new Error(`the machine has no group ${group}`);
    await handle.chown((await handle.stat()).uid, id);
  }

  private async keep(target: string, kept: string): Promise<void> {
    await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
    await rm(kept, { force: true });
    await link(target, kept).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  async writeInPlace(path: string, data: string): Promise<void> {
    const handle = await open(this.resolve(path), constants.O_WRONLY | constants.O_TRUNC);
    try {
      await handle.writeFile(data);
    } finally {
      await handle.close();
    }
  }

  async append(path: string, data: string): Promise<void> {
    await mkdir(dirname(this.resolve(path)), { recursive: true });
    await appendFile(this.resolve(path), data);
  }

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    const target = this.resolve(path);
    await mkdir(target, { recursive: true });
    await chmod(target, mode);
  }

  async makeSymlink(target: string, path: string): Promise<void> {
    const place = this.resolve(path);
    await mkdir(dirname(place), { recursive: true });
    const temporary = `${place}.${randomBytes(6).toString('hex')}.tmp`;
    await symlink(target, temporary);
    await rename(temporary, place);
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(this.resolve(from), this.resolve(to));
    await syncDirectory(dirname(this.resolve(to)));
  }

  async remove(path: string): Promise<void> {
    await rm(this.resolve(path), { recursive: true, force: true });
  }

  async space(path: string): Promise<FileSystemSpace> {
    const { blocks, bavail, bsize } = await statfs(this.resolve(path), { bigint: true });
    return { total: blocks * bsize, available: bavail * bsize };
  }

  watch(directory: string, onChange: () => void): Watcher {
    // A change to a watched directory must not keep a stopping process alive.
    const watcher = watchPath(this.resolve(directory), { persistent: false }, () => onChange());
    watcher.on('error', () => watcher.close());
    return watcher;
  }

  connect(path: string): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.resolve(path));
      // One that breaks later shows it by its end.
      socket.on('error', reject);
      socket.once('connect', () => resolve(socket));
    });
  }
}
