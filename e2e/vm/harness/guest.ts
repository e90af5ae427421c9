/**
 * A root shell in the guest, for what the API has no call for. Nobody logs in to the appliance, so a machine under test
 * gets two systemd credentials by fw_cfg: a udev rule that starts a unit when a certain virtio-serial port appears, and
 * the script of that unit, which serves the port. The image knows nothing of it; it takes no credentials from a
 * hypervisor unless the signed addon of the test machines says so.
 *
 * The other end of the port is the Unix socket `guest.sock` in the machine's directory, so any process of this computer
 * can use it; one at a time is served, the others wait. A request is the line `ID LENGTH SECONDS` and LENGTH bytes of
 * script; the answer is the line `ID CODE LENGTH` and LENGTH bytes of what the script wrote to standard output and error.
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

const server = `export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
umask 077
mkdir -p /run/e2e-guest
cd /run/e2e-guest
exec 3<>"$1"
while :; do
  id=
  # While nobody is at the other end, reading ends at once.
  read -r id length seconds <&3 || { sleep 0.3; continue; }
  [ -n "$id" ] || continue
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
export const guestDefinition = rules + server;

/** QEMU's arguments for the port. */
export const guestArgv: readonly string[] = [
  ...['-device', 'virtio-serial-pci,id=serial0'],
  ...['-chardev', `socket,id=guest,path=/vm/${guestSocket},server=on,wait=off`],
  ...['-device', `virtserialport,bus=serial0.0,chardev=guest,name=${port}`],
];

/** Writes the credentials' files into the machine's directory. @returns each credential's file, by its name. */
export function guestCredentials(directory: string): Readonly<Record<string, string>> {
  writeFileSync(join(directory, 'guest.rules'), rules);
  writeFileSync(join(directory, 'guest.sh'), server);
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

/**
 * Has the guest run a script by `/bin/sh`, as root, without standard input.
 * @param socket `guest.sock` in the machine's directory.
 * @param limitMs for the script, and for the guest to get to it.
 * @throws Error when the guest doesn't answer within the limit, or goes away.
 */
export async function runInGuest(socket: string, script: string, limitMs = usualMs): Promise<GuestAnswer> {
  const end = Date.now() + limitMs;
  const id = randomBytes(12).toString('hex');
  const body = Buffer.from(script);
  const connection = await connected(socket, end);
  try {
    const answer = answerTo(connection, id, end);
    // An empty line ends what somebody before may have left half-sent.
    connection.write(`\n${id} ${body.length} ${Math.ceil(limitMs / 1_000)}\n`);
    connection.write(body);
    return await answer;
  } finally {
    connection.destroy();
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

async function connected(socket: string, end: number): Promise<Socket> {
  for (;;) {
    try {
      return await new Promise<Socket>((resolve, reject) => {
        const connection = createConnection(socket, () => resolve(connection));
        connection.once('error', reject);
      });
    } catch (error) {
      // EAGAIN of unix(7): others wait already.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || Date.now() > end) throw error;
      await sleep(200);
    }
  }
}

function answerTo(connection: Socket, id: string, end: number): Promise<GuestAnswer> {
  return new Promise((resolve, reject) => {
    // A script that is ended for its time still has its output read.
    const graceMs = 10_000;
    const timer = setTimeout(
      () => reject(new Error('the guest did not answer in time')),
      end - Date.now() + graceMs,
    );
    const done = (act: () => void): void => {
      clearTimeout(timer);
      act();
    };
    let received = Buffer.alloc(0);
    connection.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      const answer = parseAnswer(received, id);
      if (answer !== undefined) done(() => resolve(answer));
    });
    connection.on('error', (error) => done(() => reject(error)));
    connection.on('close', () => done(() => reject(new Error('the machine went away'))));
  });
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
