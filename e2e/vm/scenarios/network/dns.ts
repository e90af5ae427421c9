/** Names, answered by a real server: dnsmasq, and unbound for DNS over TLS. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { configure, networkPath } from './configuration.ts';
import { setClock } from './network-api.ts';

/** A name that the service itself looks up after a change is answered too. */
const records = [
  'host-record=linuxcontainers.org,192.0.2.80',
  'host-record=db.example.test,192.0.2.81,2001:db8:2::81',
  'host-record=www.other.test,192.0.2.82',
];

async function answered(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${cable.port}
    cat >/tmp/dns.conf <<END
interface=${cable.port}
bind-interfaces
no-resolv
no-hosts
local=/test/
log-queries
log-facility=/tmp/dns.log
local-ttl=300
${records.join('\n')}
END
    dnsmasq --conf-file=/tmp/dns.conf`,
  );
  const rest = await machine.rest();
  await configure(rest, {
    dns: {
      ...{ hostname: 'appliance', domain: 'example.test' },
      ...{ nameservers: ['192.0.2.1'], search_domains: ['example.test', 'other.test'] },
    },
    interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'] }],
  });
  const asked = async (name: string): Promise<string> => machine.inGuest(`getent ahosts ${name}`);
  // By the search domains, by the whole name, and of both families.
  assert.match(await asked('db'), /^192\.0\.2\.81\s/mu);
  assert.match(await asked('db'), /^2001:db8:2::81\s/mu);
  assert.match(await asked('www'), /^192\.0\.2\.82\s/mu);
  assert.match(await asked('www.other.test'), /^192\.0\.2\.82\s/mu);
  assert.notEqual((await machine.guest('getent ahosts nowhere.example.test')).code, 0);
  lab.note('resolvectl', await machine.inGuest('resolvectl status; hostname; cat /etc/hosts'));
  assert.equal((await machine.inGuest('hostname')).trim(), 'appliance');

  // What was answered is remembered, until the API is told to forget it.
  const queries = async (): Promise<number> =>
    Number(await neighbour.run("grep -c 'query\\[A\\] db.example.test from 192.0.2.10' /tmp/dns.log"));
  const before = await queries();
  assert.ok(before > 0, 'the machine asked somebody else');
  await machine.inGuest('resolvectl query -4 db.example.test');
  assert.equal(await queries(), before, 'the answer was not remembered');
  await rest.succeed('POST', `${networkPath}/:flush-dns`);
  await machine.inGuest('resolvectl query -4 db.example.test');
  assert.equal(await queries(), before + 1, 'the answer was not forgotten');
  lab.note('what the server was asked', await neighbour.run('cat /tmp/dns.log'));
}

async function overTls(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${cable.port}
    cd /tmp
    openssl req -x509 -newkey rsa:2048 -noenc -sha256 -days 30 -subj /CN=authority -keyout ca.key -out ca.crt 2>/dev/null
    openssl req -newkey rsa:2048 -noenc -subj /CN=dns -keyout dns.key -out dns.csr 2>/dev/null
    openssl req -x509 -key dns.key -sha256 -days 30 -subj /CN=dns -addext subjectAltName=IP:192.0.2.1 -out strange.crt
    printf 'subjectAltName=IP:192.0.2.1\\n' >dns.ext
    openssl x509 -req -in dns.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile dns.ext -out dns.crt 2>/dev/null
    cat >/tmp/unbound.conf <<END
server:
  interface: 192.0.2.1@853
  tls-service-key: /tmp/dns.key
  tls-service-pem: /tmp/dns.crt
  access-control: 192.0.2.0/24 allow
  username: ""
  chroot: ""
  directory: /tmp
  pidfile: /tmp/unbound.pid
  logfile: /tmp/unbound.log
  use-syslog: no
  log-queries: yes
  module-config: "iterator"
  local-zone: "test." static
  local-data: "db.example.test. A 192.0.2.81"
  local-zone: "linuxcontainers.org." static
  local-data: "linuxcontainers.org. A 192.0.2.80"
END
    unbound -c /tmp/unbound.conf`,
  );
  const authority = await neighbour.run('cat /tmp/ca.crt');
  const rest = await machine.rest();
  const secured = {
    dns: {
      ...{ hostname: 'appliance', domain: '', nameservers: ['192.0.2.1'], search_domains: ['example.test'] },
      dns_over_tls: true,
    },
    interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'] }],
  };
  // Certificates have a beginning, and the machine's clock stands where it was kept.
  await setClock(machine);
  await machine.inGuest(
    `set -e; umask 022
    cp -rL /etc/ssl/certs /run/certs
    cat >/run/certs/e2e-authority.pem <<'END'
${authority.trimEnd()}
END
    ln -s e2e-authority.pem /run/certs/$(openssl x509 -hash -noout -in /run/certs/e2e-authority.pem).0
    mount --bind /run/certs "$(readlink -f /etc/ssl/certs)"
    systemctl restart systemd-resolved`,
  );
  await configure(rest, secured);
  const found = await machine.inGuest('resolvectl query -4 db; resolvectl status');
  lab.note('resolvectl', found);
  assert.match(found, /192\.0\.2\.81/u);
  lab.note('what the server was asked', await neighbour.run('cat /tmp/unbound.log'));
  assert.match(await neighbour.run('cat /tmp/unbound.log'), /db\.example\.test/u);

  // The same server with a certificate of its own making is asked nothing.
  await neighbour.run(
    `kill "$(cat /tmp/unbound.pid)"
    while pidof unbound >/dev/null; do sleep 0.2; done
    cp /tmp/strange.crt /tmp/dns.crt
    : >/tmp/unbound.log
    unbound -c /tmp/unbound.conf`,
  );
  await rest.succeed('POST', `${networkPath}/:flush-dns`);
  const refused = await machine.guest('resolvectl query -4 db.example.test');
  assert.notEqual(refused.code, 0, `a stranger was asked: ${refused.output}`);
  assert.doesNotMatch(await neighbour.run('cat /tmp/unbound.log'), /db\.example\.test/u);
}

export const dnsScenarios: readonly Scenario[] = [
  {
    name: 'network/dns',
    sentence: 'names are asked of the configured server, with the search domains, and forgotten when told to',
    needs: ['running', 'neighbour'],
    quick: true,
    run: answered,
  },
  {
    name: 'network/dns-over-tls',
    sentence: 'a server is asked by DNS over TLS alone, and only with a certificate that the machine trusts',
    needs: ['running', 'neighbour'],
    run: overTls,
  },
];
