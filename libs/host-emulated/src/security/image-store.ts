import type { Files } from '@incusos/host';
import { showKernelFile } from './kernel-file.ts';

/** The certificate authorities of the image, in its read-only part. */
const imageBundlePath = '/usr/share/certs/ca-certificates.crt';

/** One authority, of which nobody has the key. */
const bundle = `-----BEGIN CERTIFICATE-----
MIIByjCCAXGgAwIBAgIUeEWD94lDMkMgKL6ep0H68YKMVNswCgYIKoZIzj0EAwIw
OjEPMA0GA1UECgwGVGVzdE9TMScwJQYDVQQDDB5UZXN0T1MgLSBDZXJ0aWZpY2F0
ZSBBdXRob3JpdHkwIBcNMjYxMTIwMDUzOTE3WhgPMjA1MTExMTQwNTM5MTdaMDox
DzANBgNVBAoMBlRlc3RPUzEnMCUGA1UEAwweVGVzdE9TIC0gQ2VydGlmaWNhdGUg
QXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBsHcyyGNpFeLL8JY
zDznOVjecHkKvIrpnfMco3/W1oUap2989qk6h0MI5pt6jaj2b4LbYQCwDHS9Y3Gs
5+6pZaNTMFEwHQYDVR0OBBYEFG63aMtpGaxhuYrdWT3dJGNevmfjMB8GA1UdIwQY
MBaAFG63aMtpGaxhuYrdWT3dJGNevmfjMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZI
zj0EAwIDRwAwRAIgeOXz3Jzuri6HBljXzveVbOvn3yFlAPgLUF0Rk59vn3ECIBvj
/fnbdb58l7ViEsi43kZ+WJ5BIzsElaXxAnaYdtvj
-----END CERTIFICATE-----
`;

export async function showImageStore(files: Files): Promise<void> {
  if (!(await files.exists(imageBundlePath))) await showKernelFile(files, imageBundlePath, bundle);
}
