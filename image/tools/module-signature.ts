/** Signatures at the end of kernel modules, in the form of Linux' `module_signature`. */

const magic = Buffer.from('~Module signature appended~\n');
/** Algorithm, hash, kind of identifier, lengths of signer and key identifier, three bytes of nothing, length. */
const structBytes = 12;
const lengthAt = 8;

/**
 * A module without the signatures that it has. dkms signs what it builds with a key that it makes up, which would make
 * two builds of the same module differ.
 */
export function withoutSignatures(module: Buffer): Buffer {
  let end = module.length;
  while (end >= structBytes + magic.length && module.subarray(end - magic.length, end).equals(magic)) {
    const struct = end - magic.length - structBytes;
    const start = struct - module.readUInt32BE(struct + lengthAt);
    if (start < 0) break;
    end = start;
  }
  return module.subarray(0, end);
}
