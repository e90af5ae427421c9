/** The generated gRPC messages, by full name. */
import * as addons from '../addons.ts';
import * as applications from '../applications.ts';
import * as backup from '../backup.ts';
import * as customizer from '../customizer.ts';
import * as images from '../images.ts';
import * as network from '../network.ts';
import * as security from '../security.ts';
import * as seeds from '../seeds.ts';
import * as storage from '../storage.ts';
import * as system from '../system.ts';
import * as update from '../update.ts';

/** What every generated message can do. */
export interface MessageCodec {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

const SUBSYSTEMS: Readonly<Record<string, object>> = {
  addons,
  applications,
  backup,
  customizer,
  images,
  network,
  security,
  seeds,
  storage,
  system,
  update,
};

/** The codec of a message such as `incusos.network.v1.SystemNetwork`. */
export function codecOf(fullName: string): MessageCodec {
  const [, subsystem = '', , name = ''] = fullName.split('.');
  const codec = Object.entries(SUBSYSTEMS[subsystem] ?? {}).find(([key]) => key === name)?.[1] as unknown;
  if (!isCodec(codec)) throw new Error(`there is no message ${fullName}`);
  return codec;
}

function isCodec(value: unknown): value is MessageCodec {
  return typeof value === 'object' && value !== null && 'encode' in value && 'decode' in value;
}
