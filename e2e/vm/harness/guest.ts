/**
 * A root shell in the guest, for what the API has no call for. Nobody logs in to the appliance, so a machine under test
 * gets two systemd credentials by fw_cfg: a udev rule that starts a unit when a certain virtio-serial port appears, and
 * the script of that unit, which serves the port. The image knows nothing of it; it takes no credentials from a
 * hypervisor unless the signed addon of the test machines says so.
 *
 * The other end of the port is the Unix socket `guest.sock` in the machine's directory, so any process of this computer
 * can use it; one at a time is served, the others wait. When the guest has said that it listens, a request is the line
 * `ID LENGTH SECONDS` and LENGTH bytes of script; the answer is the line `ID CODE LENGTH` and LENGTH bytes of what the
 * script wrote to standard output and error.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** In the machine's directory. */
export const guestSocket = 'guest.sock';

const port = 'incusos.guest';
const scriptCredential = 'e2e.guest';

/** What the guest says when it listens: the firmware has the port as a console, and would take a request for keys. */
const listening = 'e2e-guest listens';

/** A shell script that serves the port whose device is its argument. */
export const guestServer = `export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
umask 077
mkdir -p /run/e2e-guest
cd /run/e2e-guest
exec 3<>"$1"
# Writing waits for somebody at the other end; reading ends when he goes.
while echo '${listening}' >&3; do
  id=
  read -r id length seconds <&3 && [ -n "$id" ] || continue
  head -c "$length" <&3 >script
  [ "$(stat -c %s script)" = "$length" ] || continue
  timeout -k 5 "$seconds" /bin/sh script >output 2>&1 </dev/null 3>&-
  code=$?
  { echo "$id $code $(stat -c %s output)"; cat output; } >&3
done
`;

/** In the initrd it would end with it, so it begins in the system; a unit that fails there must not end it. */
const unit = [
  '/usr/bin/systemd-run --no-block --collect --unit=e2e-guest',
  '--property=DefaultDependencies=no --property=IgnoreOnIsolate=yes',
  `/bin/sh /run/credentials/@system/${scriptCredential} $devnode`,
].join(' ');
const rules = `ACTION=="add", SUBSYSTEM=="virtio-ports", ATTR{name}=="${port}", RUN+="/bin/sh -c 'test -e /etc/initrd-release || exec ${unit}'"\n`;

/** What a machine with the shell differs by, for what is kept by the content of what made it. */
export const guestDefinition = rules + guestServer;

/** QEMU's arguments for the port. */
export const guestArgv: readonly string[] = [
  ...['-device', 'virtio-serial-pci,id=serial0'],
  ...['-chardev', `socket,id=guest,path=/vm/${guestSocket},server=on,wait=off`],
  ...['-device', `virtserialport,bus=serial0.0,chardev=guest,name=${port}`],
];

/** Writes the credentials' files into the machine's directory. @returns each credential's file, by its name. */
export function guestCredentials(directory: string): Readonly<Record<string, string>> {
  writeFileSync(join(directory, 'guest.rules'), rules);
  writeFileSync(join(directory, 'guest.sh'), guestServer);
  // By the first name udev takes it for rules (systemd-udevd.service(8)).
  return { 'udev.rules.99-e2e-guest': 'guest.rules', [scriptCredential]: 'guest.sh' };
}

export interface GuestAnswer {
  /** The script's exit code; 124 when it took too long. */
  readonly code: number;
  /** Standard output and error, in the order of writing. */
  readonly output: string;
}

/** For a script that is over at once; the guest may be at its start, and slow without KVM. */
const usualMs = 120_000;
const graceMs = 10_000;
/** In which a guest without KVM sees that nobody is at the other end. */
const goneMs = 2_000;
/** In which most guests do. */
const usuallyGoneMs = 150;
/** Until when a socket that was left is to be left alone. */
const left = new Map<string, number>();

/**
 * Has the guest run a script by `/bin/sh`, as root, without standard input.
 * @param socket `guest.sock` in the machine's directory.
 * @param limitMs for the script, and for the guest to get to it.
 * @throws Error when the guest doesn't answer within the limit, or goes away.
 */
export async function runInGuest(socket: string, script: string, limitMs = usualMs): Promise<GuestAnswer> {
  const end = Date.now() + limitMs;
  for (let patienceMs = 3_000; ; patienceMs *= 2) {
    const guest = await connected(socket, end);
    try {
      await guest.receive(Math.min(patienceMs, end - Date.now()), (received) =>
        received.includes(listening) ? true : undefined,
      );
      return await answered(guest, script, end);
    } catch (error) {
      if (!(error instanceof TooLate) || Date.now() >= end) throw error;
    } finally {
      guest.close();
      left.set(socket, Date.now() + usuallyGoneMs);
    }
    // A busy guest sees no end of the connection where the next begins at once, and goes on waiting for a request.
    await sleep(goneMs);
  }
}

async function answered(guest: Connection, script: string, end: number): Promise<GuestAnswer> {
  const id = randomBytes(12).toString('hex');
  const body = Buffer.from(script);
  const leftMs = end - Date.now();
  guest.send(Buffer.concat([Buffer.from(`${id} ${body.length} ${Math.ceil(leftMs / 1_000)}\n`), body]));
  try {
    // A script that is ended for its time still has its output read.
    return await guest.receive(leftMs + graceMs, (received) => parseAnswer(received, id));
  } catch (error) {
    if (error instanceof TooLate) throw new Error("the guest's script took too long");
    throw error;
  }
}

/**
 * As {@link runInGuest}, for a script that has to succeed.
 * @returns its output.
 * @throws Error with the output when the exit code isn't 0.
 */
export async function succeedInGuest(socket: string, script: string, limitMs?: number): Promise<string> {
  const { code, output } = await runInGuest(socket, script, limitMs);
  if (code !== 0) throw new Error(`the guest's script ended with ${code}:\n${script}\n${output}`);
  return output;
}

class TooLate extends Error {}

async function connected(socket: string, end: number): Promise<Connection> {
  await sleep(Math.max(0, (left.get(socket) ?? 0) - Date.now()));
  for (;;) {
    try {
      return await Connection.open(socket);
    } catch (error) {
      // EAGAIN of unix(7): others wait already.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || Date.now() > end) throw error;
      await sleep(200);
    }
  }
}

class Connection {
  private readonly socket: Socket;
  private received = Buffer.alloc(0);
  private ended = false;
  private notice: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.notice();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.ended = true;
      this.notice();
    });
  }

  static open(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(path, () => {
        socket.removeListener('error', reject);
        resolve(new Connection(socket));
      });
      socket.once('error', reject);
    });
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /**
   * Waits until what was received makes sense.
   * @throws TooLate after the limit. @throws Error when the other end closes.
   */
  receive<T>(limitMs: number, sense: (received: Buffer) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new TooLate('the guest did not answer in time')), limitMs);
      this.notice = () => {
        const result = sense(this.received);
        if (result === undefined && !this.ended) return;
        clearTimeout(timer);
        if (result === undefined) reject(new Error('the machine went away'));
        else resolve(result);
      };
      this.notice();
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/**
 * The answer to request `id` in what the guest sent.
 * @returns nothing while it isn't complete. What comes before is the answer to somebody who didn't wait for it.
 */
export function parseAnswer(received: Buffer, id: string): GuestAnswer | undefined {
  const begin = received.indexOf(`${id} `);
  const lineEnd = begin < 0 ? -1 : received.indexOf('\n', begin);
  if (lineEnd < 0) return undefined;
  const [, code, length] = received.toString('latin1', begin, lineEnd).split(' ').map(Number);
  const output = received.subarray(lineEnd + 1);
  if (code === undefined || length === undefined || output.length < length) return undefined;
  return { code, output: output.toString('utf8', 0, length) };
}
