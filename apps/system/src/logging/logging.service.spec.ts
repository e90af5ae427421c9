import { describe, expect, it, vi } from 'vitest';
import { selfSigned } from '../testing/self-signed.ts';
import { forEachTest } from '../testing/system-appliance.ts';

const the = forEachTest();

describe('logging', () => {
  it('forwards to a syslog server with the usual protocol and format', async () => {
    await the.setLogging({ syslog: { address: '192.0.2.1:514' } });
    expect(await the.host.files.readText('/etc/systemd/netlogd.conf')).toBe(
      '[Network]\nAddress=192.0.2.1:514\nProtocol=udp\nLogFormat=rfc5424\n',
    );
    expect(the.machine.read().system.units['systemd-netlogd.service']?.active).toBe('active');
    await the.setLogging({ syslog: { address: '' } });
    expect(await the.host.files.exists('/etc/systemd/netlogd.conf')).toBe(false);
    expect(the.machine.read().system.units['systemd-netlogd.service']?.active).toBe('inactive');
    expect((await the.system.getLogging({})).logging?.config).toEqual({
      syslog: { address: '', protocol: '', log_format: '' },
      journal_upload: { url: '', tls_client_certificate: '', tls_client_key: '', tls_ca_certificate: '' },
    });
  });

  it('has systemd read its units anew only when one changed', async () => {
    const run = vi.spyOn(the.host.programs, 'run');
    const reloads = (): number => run.mock.calls.filter(([argv]) => argv[1] === 'daemon-reload').length;
    await the.setLogging({ syslog: { address: '192.0.2.1:514' } });
    await the.setLogging({ syslog: { address: '192.0.2.2:514' } });
    expect(reloads()).toBe(0);
    const { certificate, key } = await selfSigned();
    await the.setLogging({
      journal_upload: {
        url: 'https://logs.example:19532',
        tls_client_certificate: certificate,
        tls_client_key: key,
      },
    });
    expect(reloads()).toBe(1);
    run.mockRestore();
  });

  it('uploads the journal with a client certificate whose key stays out of the state file', async () => {
    const { certificate, key } = await selfSigned();
    await the.setLogging({
      journal_upload: {
        url: 'https://logs.example:19532',
        tls_client_certificate: certificate,
        tls_client_key: key,
        tls_ca_certificate: certificate,
      },
    });
    expect(await the.host.files.readText('/etc/systemd/journal-upload.conf')).toBe(
      '[Upload]\nURL=https://logs.example:19532\n' +
        'ServerKeyFile=/run/credentials/systemd-journal-upload.service/client.key\n' +
        'ServerCertificateFile=/etc/systemd/journal-upload/client.crt\n' +
        'TrustedCertificateFile=/etc/systemd/journal-upload/ca.crt\n',
    );
    expect(await the.host.files.stat('/etc/systemd/journal-upload/client.key')).toMatchObject({
      mode: 0o600,
    });
    expect(await the.host.files.readText('/var/lib/incus-os/system/state.json')).not.toContain('PRIVATE KEY');
    expect((await the.system.getLogging({})).logging?.config?.journal_upload?.tls_client_key).toBe(key);
    expect(the.machine.read().system.units['systemd-journal-upload.service']?.active).toBe('active');
    await the.setLogging({});
    expect(await the.host.files.exists('/etc/systemd/journal-upload')).toBe(true);
    expect(await the.host.files.list('/etc/systemd/journal-upload')).toEqual([]);
    expect(
      (await the.host.files.list('/var/lib/incus-os/system')).filter((name) => name.endsWith('.key')),
    ).toEqual([]);
  });

  it('refuses what cannot be forwarded to, and names the field', async () => {
    const wrong: [message: string, config: Parameters<typeof the.setLogging>[0], field: string][] = [
      [
        "syslog address 'nowhere' is not host:port",
        { syslog: { address: 'nowhere' } },
        'config.syslog.address',
      ],
      [
        "syslog address 'a:1\nProtocol=tcp' is not host:port",
        { syslog: { address: 'a:1\nProtocol=tcp' } },
        'config.syslog.address',
      ],
      [
        "unsupported syslog protocol 'carrier pigeon', must be one of [udp tcp tls dtls]",
        { syslog: { address: 'a:1', protocol: 'carrier pigeon' } },
        'config.syslog.protocol',
      ],
      [
        "'ftp://a' is not an http or https URL",
        { journal_upload: { url: 'ftp://a' } },
        'config.journal_upload.url',
      ],
      [
        'the tls ca certificate is not a certificate in PEM form',
        { journal_upload: { url: 'https://a', tls_ca_certificate: 'x' } },
        'config.journal_upload.tls_ca_certificate',
      ],
      [
        'journal upload needs a URL',
        { journal_upload: { tls_ca_certificate: 'x' } },
        'config.journal_upload.url',
      ],
    ];
    for (const [message, config, field] of wrong) {
      await expect(the.setLogging(config), message).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
        message,
        fields: [{ field }],
      });
    }
    expect(await the.host.files.exists('/etc/systemd/netlogd.conf')).toBe(false);
  });
});
