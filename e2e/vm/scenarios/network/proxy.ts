/** The machine's own proxy, against a real proxy server: squid, with passwords and with tickets of a real KDC. */
import assert from 'node:assert/strict';
import type { Neighbour } from '../../neighbour/neighbour.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import type { TestMachine } from '../../harness/test-machine.ts';
import { configure, networkOf } from './configuration.ts';

const realm = 'EXAMPLE.TEST';
const secret = 'tr0ub4dor&3';
const address = '192.0.2.1';
/** Only the proxy server knows this name and the way to it. */
const destination = 'origin.inside.test';

/** Names, destinations, KDC and squid on the neighbour. */
async function startServers(neighbour: Neighbour, port: string, now: string): Promise<void> {
  await neighbour.run(
    `date -s @${now}
    ip address add ${address}/24 dev ${port}
    cat >/tmp/dns.conf <<END
interface=${port}
bind-interfaces
no-resolv
no-hosts
host-record=linuxcontainers.org,192.0.2.80
host-record=proxy.example.test,kdc.example.test,${address}
srv-host=_kerberos._tcp.example.test,kdc.example.test,88
srv-host=_kerberos._udp.example.test,kdc.example.test,88
END
    dnsmasq --conf-file=/tmp/dns.conf
    echo 127.0.0.1 ${destination} >>/etc/hosts
    mkdir -p /tmp/www && cd /tmp/www && echo 'hello by TLS' >page
    openssl req -x509 -newkey rsa:2048 -noenc -days 30 -subj /CN=${destination} -keyout key -out crt 2>/dev/null
    setsid openssl s_server -accept 127.0.0.1:443 -key key -cert crt -WWW >/dev/null 2>&1 </dev/null &
    printf 'HTTP/1.0 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n' >/tmp/answer
    setsid ncat -lk 127.0.0.1 80 -c 'read line; cat /tmp/answer' >/dev/null 2>&1 </dev/null &`,
  );
  await neighbour.run(
    `cat >/etc/krb5.conf <<END
[libdefaults]
default_realm = ${realm}
[realms]
${realm} = {
kdc = ${address}
}
END
    mkdir -p /tmp/kdc && cat >/tmp/kdc/kdc.conf <<END
[realms]
${realm} = {
kdc_listen = ${address}:88
kdc_tcp_listen = ${address}:88
database_name = /tmp/kdc/principal
key_stash_file = /tmp/kdc/stash
}
[logging]
kdc = FILE:/tmp/kdc/log
END
    export KRB5_KDC_PROFILE=/tmp/kdc/kdc.conf
    kdb5_util -r ${realm} create -s -P master >/dev/null
    kadmin.local -q 'addprinc -pw "${secret}" machine'
    kadmin.local -q 'addprinc -randkey HTTP/proxy.example.test'
    kadmin.local -q 'ktadd -k /tmp/keytab HTTP/proxy.example.test'
    krb5kdc
    echo "clerk:$(openssl passwd -apr1 '${secret}')" >/tmp/passwords
    cat >/tmp/squid.conf <<END
http_port ${address}:3128
visible_hostname proxy.example.test
auth_param negotiate program /usr/lib/squid/negotiate_kerberos_auth -k /tmp/keytab -s HTTP/proxy.example.test@${realm}
auth_param basic program /usr/lib/squid/basic_ncsa_auth /tmp/passwords
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
access_log stdio:/tmp/squid/access.log
cache_log /tmp/squid/cache.log
pid_filename /tmp/squid/pid
END
    mkdir -p /tmp/squid && chown proxy:proxy /tmp/squid /tmp/keytab /tmp/passwords
    squid -f /tmp/squid.conf`,
  );
}

const servers = {
  tickets: {
    ...{ host: 'http://proxy.example.test:3128', use_tls: false, auth: 'kerberos' },
    ...{ realm, username: 'machine', password: secret },
  },
  password: {
    host: 'proxy.example.test:3128',
    use_tls: false,
    auth: 'basic',
    username: 'clerk',
    password: secret,
  },
};

/** A program of the machine that goes by its environment. */
function curl(machine: TestMachine, url: string): Promise<string> {
  return machine.inGuest(`set -a; . /etc/environment; set +a
    curl --silent --show-error --insecure --max-time 90 --write-out '%{http_code} %{http_connect}\\n' ${url} 2>&1 || :`);
}

async function proxied(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  await startServers(neighbour, cable.port, (await machine.inGuest('date +%s')).trim());
  const rest = await machine.rest();
  const network = {
    dns: { hostname: '', domain: '', nameservers: [address], search_domains: ['example.test'] },
    interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'] }],
  };
  const rules = [
    { destination: 'forbidden.*', target: 'none' },
    { destination: `https://${destination}`, target: 'tickets' },
    { destination: '*.test', target: 'password' },
    { destination: '*', target: 'direct' },
  ];
  await configure(rest, { ...network, proxy: { servers, rules } });

  // What isn't for the proxy server by a rule isn't asked of it, and what it alone can reach is reached.
  assert.match(await curl(machine, `https://${destination}/page`), /hello by TLS/u);
  assert.match(await curl(machine, `http://${destination}/`), /hello/u);
  assert.match(await curl(machine, 'http://forbidden.example.test/'), /configuration forbids .*403/su);
  const access = await neighbour.run('cat /tmp/squid/access.log; cat /tmp/kdc/log');
  lab.note("squid's and the KDC's logs", access);
  assert.match(access, new RegExp(`CONNECT ${destination}:443 machine@${realm} `, 'u'));
  assert.match(access, new RegExp(`GET http://${destination}/ clerk `, 'u'));
  assert.doesNotMatch(access, /forbidden/u);

  await closed(lab, machine);
  await changed(machine, () =>
    configure(rest, {
      ...network,
      proxy: { servers: { password: { ...servers.password, password: 'wrong' } } },
    }),
  );
  const { proxy } = (await networkOf(rest)).config as { proxy?: { rules?: unknown } };
  assert.deepEqual(proxy?.rules, [{ destination: '*', target: 'password' }]);
  const refused = await curl(machine, `https://${destination}/page`);
  lab.note('a wrong password', refused);
  const journal = await machine.inGuest('journalctl --no-pager -b SYSLOG_IDENTIFIER=incus-osd');
  assert.match(journal, /proxy server password \(proxy\.example\.test:3128\) refused the credentials/u);
  assert.ok(!journal.includes(secret), 'the journal has the password');

  await configure(rest, { ...network, proxy: undefined });
  const gone = await machine.inGuest(
    `systemctl is-active local-proxy.service local-proxy.socket || :
    ls /etc/environment /run/incus-os/proxy.json 2>&1 || :
    ss -Hltn 'sport = :3128'`,
  );
  lab.note('without a proxy', gone);
  assert.match(gone, /^inactive\ninactive\n/u);
  assert.doesNotMatch(gone, /^\/|:3128/mu);
}

/** Nobody but this machine's programs gets at the proxy, and nobody at its passwords. */
async function closed(lab: Lab, machine: TestMachine): Promise<void> {
  const seen = await machine.inGuest(
    `pid=$(systemctl show --property=MainPID --value local-proxy.service)
    ss -Hltn 'sport = :3128'
    echo "user $(stat -c %u /proc/$pid)"
    grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status
    stat -c '%a %U %n' /run/incus-os/proxy.json /etc/environment
    grep Pss: /proc/$pid/smaps_rollup
    tr '\\0' ' ' </proc/$pid/cmdline
    tr '\\0' '\\n' </proc/$pid/environ
    grep -c '' /run/incus-os-proxy/krb5.conf
    ! grep -F '${secret}' /run/incus-os-proxy/krb5.conf`,
  );
  lab.note('the process of the proxy', seen);
  const places = seen.split('\n').filter((line) => line.startsWith('LISTEN '));
  assert.equal(places.length, 2);
  for (const place of places) assert.match(place, /(?:127\.0\.0\.1|\[::1\]):3128/u);
  assert.doesNotMatch(seen, /^user 0$/mu);
  assert.match(seen, /^CapEff:\s+0+$/mu);
  assert.match(seen, /^600 root \/run\/incus-os\/proxy\.json$/mu);
  assert.ok(!seen.includes(secret), 'the process shows the password');
}

/** A change of the proxy is in force at once, and turns nobody away meanwhile. */
async function changed(machine: TestMachine, change: () => Promise<void>): Promise<void> {
  await machine.inGuest(
    `rm -f /run/turned-away /run/asked
    (for i in $(seq 200); do
      curl --silent --output /dev/null --proxy http://localhost:3128 http://forbidden.example.test/ || echo "$?" >>/run/turned-away
      echo >>/run/asked; [ -e /run/enough ] && break; sleep 0.2
    done) >/dev/null 2>&1 </dev/null &`,
  );
  await change();
  const turned = await machine.inGuest(
    'touch /run/enough; sleep 1; cat /run/turned-away 2>/dev/null; wc -l </run/asked',
  );
  assert.match(turned, /^\d+\n$/u, `connections were turned away: ${turned}`);
}

export const proxyScenarios: readonly Scenario[] = [
  {
    name: 'network/proxy',
    sentence:
      'requests go through a proxy server with a password or with a ticket of a KDC, as the rules say',
    needs: ['running', 'neighbour'],
    run: proxied,
  },
];
