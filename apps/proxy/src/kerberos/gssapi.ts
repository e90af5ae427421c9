/**
 * The system's GSS-API (RFC 2744) and its Kerberos, called through their C interface.
 *
 * Invariants: names, contexts and buffers are given back in the function that got them; credentials live until
 * `release`; passwords are handed over as memory of this process and are in no file and no argument. The calls that may
 * ask a KDC run on a thread of their own.
 */
import koffi, { type KoffiFunc } from 'koffi';

/** What the library holds for a password: tickets, in memory only. */
export interface GssCredential {
  readonly handle: unknown;
  /** When its tickets end, in milliseconds since the epoch. */
  readonly expiresAt: number;
  release(): void;
}

export class GssError extends Error {
  override readonly name = 'GssError';
}

export interface Gss {
  /**
   * Gets tickets by a password, as kinit(1) does.
   * @param principal such as `machine@EXAMPLE.TEST`.
   * @throws GssError in the library's words.
   */
  acquire(principal: string, password: string): Promise<GssCredential>;
  /**
   * The first, and with Kerberos only, token for a service.
   * @param service such as `HTTP@proxy.example.test`.
   * @throws GssError in the library's words.
   */
  token(credential: GssCredential, service: string): Promise<Buffer>;
}

const library = 'libgssapi_krb5.so.2';
/** Of a thread that calls the library, which has buffers on its stack. */
const stackBytes = 1024 * 1024;

const complete = 0;
const continueNeeded = 1;
const initiate = 1;
const majorStatus = 1;
const minorStatus = 2;

interface Octets {
  readonly length: number;
  readonly value: Buffer;
}

interface Oid {
  readonly length: number;
  readonly elements: Buffer;
}

/** What the library wrote: the address of memory that is the library's. */
interface OutBuffer {
  readonly length: number | bigint;
  readonly value: unknown;
}

type Out<T> = [T];

/** In DER, without tag and length. */
const principalName = oid('2a864886f71201020201');
const hostBasedService = oid('2a864886f71201020104');
const kerberos = oid('2a864886f712010202');
const spnego = oid('2b0601050502');

function oid(hex: string): Oid {
  const elements = Buffer.from(hex, 'hex');
  return { length: elements.length, elements };
}

function octets(text: string): Octets {
  const value = Buffer.from(text);
  return { length: value.length, value };
}

let loaded: Gss | undefined;

/** @throws Error when the system has no such library. */
export function openGss(): Gss {
  loaded ??= load();
  return loaded;
}

function load(): Gss {
  koffi.config({ async_stack_size: stackBytes });
  const gss = koffi.load(library);
  koffi.struct('gss_buffer_desc', { length: 'size_t', value: 'void *' });
  koffi.struct('gss_OID_desc', { length: 'uint32_t', elements: 'void *' });
  koffi.struct('gss_OID_set_desc', { count: 'size_t', elements: 'gss_OID_desc *' });
  const importName = gss.func(
    'uint32_t gss_import_name(_Out_ uint32_t *minor, gss_buffer_desc *text, gss_OID_desc *type, _Out_ void **name)',
  ) as KoffiFunc<(minor: Out<number>, text: Octets, type: Oid, name: Out<unknown>) => number>;
  const releaseName = gss.func(
    'uint32_t gss_release_name(_Out_ uint32_t *minor, _Inout_ void **name)',
  ) as KoffiFunc<(minor: Out<number>, name: Out<unknown>) => number>;
  const acquireCredential = gss.func(
    'uint32_t gss_acquire_cred_with_password(_Out_ uint32_t *minor, void *name, gss_buffer_desc *password, ' +
      'uint32_t lifetime, gss_OID_set_desc *mechanisms, int usage, _Out_ void **credential, void *actual, _Out_ uint32_t *granted)',
  ) as KoffiFunc<
    (
      minor: Out<number>,
      name: unknown,
      password: Octets,
      lifetime: number,
      mechanisms: { readonly count: number; readonly elements: Oid },
      usage: number,
      credential: Out<unknown>,
      actual: null,
      granted: Out<number>,
    ) => number
  >;
  const releaseCredential = gss.func(
    'uint32_t gss_release_cred(_Out_ uint32_t *minor, _Inout_ void **credential)',
  ) as KoffiFunc<(minor: Out<number>, credential: Out<unknown>) => number>;
  const initContext = gss.func(
    'uint32_t gss_init_sec_context(_Out_ uint32_t *minor, void *credential, _Inout_ void **context, void *target, ' +
      'gss_OID_desc *mechanism, uint32_t flags, uint32_t lifetime, void *bindings, void *input, void *actual, ' +
      '_Out_ gss_buffer_desc *output, void *granted, void *granted_lifetime)',
  ) as KoffiFunc<
    (
      minor: Out<number>,
      credential: unknown,
      context: Out<unknown>,
      target: unknown,
      mechanism: Oid,
      flags: number,
      lifetime: number,
      bindings: null,
      input: null,
      actual: null,
      output: Out<OutBuffer>,
      granted: null,
      grantedLifetime: null,
    ) => number
  >;
  const deleteContext = gss.func(
    'uint32_t gss_delete_sec_context(_Out_ uint32_t *minor, _Inout_ void **context, void *output)',
  ) as KoffiFunc<(minor: Out<number>, context: Out<unknown>, output: null) => number>;
  const displayStatus = gss.func(
    'uint32_t gss_display_status(_Out_ uint32_t *minor, uint32_t status, int type, gss_OID_desc *mechanism, ' +
      '_Inout_ uint32_t *message, _Out_ gss_buffer_desc *text)',
  ) as KoffiFunc<
    (
      minor: Out<number>,
      status: number,
      type: number,
      mechanism: Oid,
      message: Out<number>,
      text: Out<OutBuffer>,
    ) => number
  >;
  const releaseBuffer = gss.func(
    'uint32_t gss_release_buffer(_Out_ uint32_t *minor, _Inout_ gss_buffer_desc *buffer)',
  ) as KoffiFunc<(minor: Out<number>, buffer: OutBuffer) => number>;

  /** Copies what the library wrote, and gives it back. */
  const taken = (buffer: OutBuffer): Buffer => {
    const length = Number(buffer.length);
    const copy =
      length === 0 ? Buffer.alloc(0) : Buffer.from(new Uint8Array(koffi.view(buffer.value, length).slice(0)));
    releaseBuffer([0], buffer);
    return copy;
  };
  const sentence = (status: number, type: number): string => {
    const text: Out<OutBuffer> = [{ length: 0, value: null }];
    return displayStatus([0], status, type, kerberos, [0], text) === complete
      ? taken(text[0]).toString()
      : `status ${status}`;
  };
  /** The mechanism's own words say more; the library's general ones are there always. */
  const failure = (major: number, [minor]: Out<number>): GssError =>
    new GssError(minor === 0 ? sentence(major, majorStatus) : sentence(minor, minorStatus));
  const withName = async <R>(text: string, type: Oid, use: (name: unknown) => Promise<R>): Promise<R> => {
    const minor: Out<number> = [0];
    const name: Out<unknown> = [null];
    const major = importName(minor, octets(text), type, name);
    if (major !== complete) throw failure(major, minor);
    try {
      return await use(name[0]);
    } finally {
      releaseName([0], name);
    }
  };

  return {
    acquire: (principal, password) =>
      withName(principal, principalName, async (name) => {
        const minor: Out<number> = [0];
        const credential: Out<unknown> = [null];
        const granted: Out<number> = [0];
        const secret = octets(password);
        const mechanisms = { count: 1, elements: spnego };
        const major = await new Promise<number>((resolve, reject) => {
          acquireCredential.async(
            minor,
            name,
            secret,
            0,
            mechanisms,
            initiate,
            credential,
            null,
            granted,
            settle(resolve, reject),
          );
        });
        secret.value.fill(0);
        if (major !== complete) throw failure(major, minor);
        return {
          handle: credential[0],
          expiresAt: Date.now() + granted[0] * 1_000,
          release: () => {
            releaseCredential([0], credential);
          },
        };
      }),
    token: ({ handle }, service) =>
      withName(service, hostBasedService, async (name) => {
        const minor: Out<number> = [0];
        const context: Out<unknown> = [null];
        const output: Out<OutBuffer> = [{ length: 0, value: null }];
        const major = await new Promise<number>((resolve, reject) => {
          initContext.async(
            minor,
            handle,
            context,
            name,
            spnego,
            0,
            0,
            null,
            null,
            null,
            output,
            null,
            null,
            settle(resolve, reject),
          );
        });
        const token = taken(output[0]);
        if (context[0] !== null) deleteContext([0], context, null);
        if (major !== complete && major !== continueNeeded) throw failure(major, minor);
        return token;
      }),
  };
}

/** Of a call on another thread, which reports `null` or an error. */
function settle(resolve: (value: number) => void, reject: (error: Error) => void) {
  return (error: unknown, value: number): void => {
    if (error === null || error === undefined) resolve(value);
    else
      reject(error instanceof Error ? error : new Error('the library could not be called', { cause: error }));
  };
}
