/** The other side of Negotiate: tokens are judged by the system's GSS-API, with the keys of a keytab. */
import koffi, { type KoffiFunc } from 'koffi';

type Out<T> = [T];

interface Text {
  readonly length: number | bigint;
  readonly value: unknown;
}

/**
 * @param keytab of the service.
 * @returns tells whom a value of `Proxy-Authorization` shows to be there; `undefined` for nobody.
 */
export function negotiateAcceptor(keytab: string): (authorization: string | undefined) => string | undefined {
  process.env['KRB5_KTNAME'] = `FILE:${keytab}`;
  process.env['KRB5RCACHENAME'] = `file2:${keytab}.replays`;
  const gss = koffi.load('libgssapi_krb5.so.2');
  koffi.struct('accepted_text', { length: 'size_t', value: 'void *' });
  const accept = gss.func(
    'uint32_t gss_accept_sec_context(_Out_ uint32_t *minor, _Inout_ void **context, void *credential, accepted_text *token, ' +
      'void *bindings, _Out_ void **client, void *mechanism, _Out_ accepted_text *answer, void *flags, void *time, void *delegated)',
  ) as KoffiFunc<
    (
      minor: Out<number>,
      context: Out<unknown>,
      credential: null,
      token: { readonly length: number; readonly value: Buffer },
      bindings: null,
      client: Out<unknown>,
      mechanism: null,
      answer: Out<Text>,
      flags: null,
      time: null,
      delegated: null,
    ) => number
  >;
  const display = gss.func(
    'uint32_t gss_display_name(_Out_ uint32_t *minor, void *name, _Out_ accepted_text *text, void *type)',
  ) as KoffiFunc<(minor: Out<number>, name: unknown, text: Out<Text>, type: null) => number>;
  return (authorization) => {
    const [scheme, encoded = ''] = (authorization ?? '').split(' ');
    if (scheme !== 'Negotiate') return undefined;
    const value = Buffer.from(encoded, 'base64');
    const client: Out<unknown> = [null];
    const token = { length: value.length, value };
    const major = accept(
      [0],
      [null],
      null,
      token,
      null,
      client,
      null,
      [{ length: 0, value: null }],
      null,
      null,
      null,
    );
    if (major !== 0) return undefined;
    const name: Out<Text> = [{ length: 0, value: null }];
    display([0], client[0], name, null);
    return Buffer.from(koffi.view(name[0].value, Number(name[0].length))).toString();
  };
}
