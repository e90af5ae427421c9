/**
 * Stands in for the services: `node owner-process network storage` answers StateOwner for each, with a state of one
 * word. Files of the machine control it: `/control/<service>.set` gives it a new state and is removed once that is
 * saved; `.hold-stage` and `.hold-apply` make it wait at that point of an import; `.refuse` makes it refuse imports
 * with the file's text.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Environment, type GetEnvironmentResponse, SystemServiceService } from '@incusos/contracts/system';
import { HOST, type Host, openHost } from '@incusos/host';
import { bootstrapService, DomainError, GrpcController, serviceNames } from '@incusos/service';
import { openState, type StateStore } from '@incusos/state';
import { provideStateOwner, type StateOwnerHooks } from '@incusos/state-owner';
import { type DynamicModule, Inject, Module } from '@nestjs/common';

interface Word {
  readonly word: string;
}

const host = await openHost();

/** Of the system service only what a backup needs of it; a reboot leaves a file. */
@GrpcController(SystemServiceService)
class SystemController {
  constructor(@Inject(HOST) private readonly machine: Host) {
    for (const method of Object.keys(SystemServiceService)) {
      if (!(method in this))
        Object.assign(this, {
          [method]: () => Promise.reject(new DomainError('NOT_IMPLEMENTED', 'not implemented')),
        });
    }
  }

  getEnvironment(): GetEnvironmentResponse {
    return { environment: Environment.create({ os_name: 'IncusOS', os_version: '202610010000' }) };
  }

  async reboot(): Promise<object> {
    await this.machine.files.append('/control/reboots', 'reboot\n');
    return {};
  }
}

function hooksOf(service: string): StateOwnerHooks<Word> {
  const control = `/control/${service}`;
  const wait = async (name: string): Promise<void> => {
    if (!(await host.files.exists(`${control}.${name}`))) return;
    await host.files.writeAtomic(`${control}.${name}.reached`, '');
    while (await host.files.exists(`${control}.${name}`)) await sleep(10);
  };
  return {
    transform: async (data, { skip }) => {
      if (await host.files.exists(`${control}.refuse`)) {
        throw new DomainError('INVALID_REQUEST', await host.files.readText(`${control}.refuse`));
      }
      await wait('hold-stage');
      return { word: [data.word, ...skip].join(' ') };
    },
    apply: async () => wait('hold-apply'),
  };
}

function moduleOf(service: (typeof serviceNames)[number]): DynamicModule {
  const store = Symbol('store');
  const hooks = Symbol('hooks');
  class OwnerModule {}
  Module({})(OwnerModule);
  return {
    module: OwnerModule,
    providers: [
      { provide: HOST, useValue: host },
      { provide: hooks, useValue: hooksOf(service) },
      { provide: store, useFactory: async () => openWord(service) },
      ...provideStateOwner({ service, store, hooks, secrets: [{ name: 'secret.key' }] }),
      ...(service === 'system' ? [SystemController] : []),
    ],
  };
}

async function openWord(service: string): Promise<StateStore<Word>> {
  const store = await openState<Word>(host, {
    directory: `/var/lib/incus-os/${service}`,
    version: 1,
    initial: () => ({ word: 'initial' }),
    validate: (data) => {
      if (typeof data !== 'object' || data === null || !('word' in data)) throw new Error('it has no word');
      return { word: String(data.word) };
    },
  });
  void obey(service, store);
  return store;
}

async function obey(service: string, store: StateStore<Word>): Promise<never> {
  const order = `/control/${service}.set`;
  for (;;) {
    await sleep(10);
    if (!(await host.files.exists(order))) continue;
    const word = await host.files.readText(order);
    await host.files.writeAtomic(`${store.directory}/secret.key`, `key ${word}`, { mode: 0o600 });
    await store.commit('test', () => ({ word }));
    await host.files.remove(order);
  }
}

for (const service of serviceNames) {
  if (process.argv.includes(service)) await bootstrapService(moduleOf(service), service);
}
