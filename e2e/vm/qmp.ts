/** The control channel of QEMU (QMP): one JSON object a line, answers in the order of the commands. */
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Answer {
  readonly return?: unknown;
  readonly error?: { readonly desc?: string };
  readonly event?: string;
  readonly QMP?: unknown;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Qmp {
  private readonly waiting: Waiting[] = [];
  private readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => this.take(JSON.parse(line) as Answer));
    // It repeats the socket's errors, which end what waits by the socket's `close`.
    lines.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error('QEMU ended'));
    });
    socket.on('error', () => socket.destroy());
  }

  /** @throws Error while QEMU doesn't listen at `path`. */
  static async connect(path: string): Promise<Qmp> {
    const socket = createConnection(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const qmp = new Qmp(socket);
    await qmp.ask('qmp_capabilities');
    return qmp;
  }

  /** Has QEMU do something. @throws Error with QEMU's reason. */
  ask(command: string, options: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed || this.socket.readyState === 'closed') {
        reject(new Error('QEMU ended'));
        return;
      }
      this.waiting.push({ resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: options })}\n`);
    });
  }

  /** Whether the guest runs: `running`, `paused`, `internal-error` and so on. */
  async status(): Promise<string> {
    const { status } = (await this.ask('query-status')) as { status: string };
    return status;
  }

  close(): void {
    this.socket.destroy();
  }

  private take(answer: Answer): void {
    if (answer.QMP !== undefined || answer.event !== undefined) return;
    const next = this.waiting.shift();
    if (answer.error === undefined) next?.resolve(answer.return);
    else next?.reject(new Error(answer.error.desc ?? 'QEMU refused a command'));
  }
}
