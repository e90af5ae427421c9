import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutSignatures } from './module-signature.ts';

/** As the kernel's sign-file appends one. */
function sign(module: Uint8Array, signature: Uint8Array): Buffer {
  const struct = Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  struct.writeUInt32BE(signature.length, 8);
  return Buffer.concat([module, signature, struct, Buffer.from('~Module signature appended~\n')]);
}

describe('the signatures of a kernel module', () => {
  it('are removed, however many there are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }),
        (module, signatures) => {
          const signed = signatures.reduce<Buffer>(
            (sum, signature) => sign(sum, signature),
            Buffer.from(module),
          );
          expect(withoutSignatures(signed)).toEqual(Buffer.from(module));
        },
      ),
    );
  });

  it('are left when they would be longer than the module', () => {
    const broken = sign(Buffer.from('ELF'), Buffer.alloc(10)).subarray(5);
    expect(withoutSignatures(broken)).toEqual(broken);
  });
});
