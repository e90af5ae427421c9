/**
 * Imports of a service's state on disk: kept aside first, put in place later.
 *
 * Invariants: a directory `import-<id>` is there as a whole or not at all (it is filled under another name and
 * renamed); once its file `committing` is on disk the import is carried to its end, by whoever comes next, and each of
 * its steps can be repeated; `imported.json` names the last import that is through.
 */
import type { Host } from '@incusos/host';
import { detailOf, DomainError, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { type IncomingImport } from './incoming-files.ts';
import { secretFor, type StateOwnerSettings } from './state-owner-options.ts';

export const stateFileName = 'state.json';

const committingName = 'committing';
const importPrefix = 'import-';

export class StagedImports {
  private readonly store: StateStore<object>;
  private readonly directory: string;

  constructor(
    private readonly host: Host,
    private readonly settings: StateOwnerSettings,
    private readonly logger: Logger,
  ) {
    this.store = settings.store;
    this.directory = settings.store.directory;
  }

  /** Validates an import and keeps it aside; an earlier one of the same id is replaced. */
  async stage(incoming: IncomingImport): Promise<void> {
    const place = this.place(incoming.restoreId);
    if (await this.isImported(incoming.restoreId)) throw this.alreadyThrough(incoming.restoreId);
    if (await this.host.files.exists(`${place}/${committingName}`)) throw this.underWay(incoming.restoreId);
    const files = await this.prepare(incoming);
    await this.dropForgotten();
    const unfinished = `${this.directory}/.${importPrefix}${incoming.restoreId}`;
    await this.host.files.remove(unfinished);
    try {
      await this.host.files.makeDirectory(unfinished, 0o700);
      for (const [name, content] of files) {
        await this.host.files.writeAtomic(`${unfinished}/${name}`, content, { mode: 0o600 });
      }
      await this.host.files.remove(place);
      await this.host.files.rename(unfinished, place);
    } catch (error) {
      await this.host.files.remove(unfinished);
      throw error;
    }
  }

  /** Puts a staged import in place; does nothing when that was done before. */
  async commit(restoreId: string): Promise<void> {
    const previous = this.store.current;
    if (await this.carryOut(restoreId)) await this.takeEffect(previous);
  }

  /** @returns whether there was something to do. */
  private async carryOut(restoreId: string): Promise<boolean> {
    const place = this.place(restoreId);
    if (!(await this.host.files.exists(place))) {
      if (await this.isImported(restoreId)) return false;
      throw new DomainError(
        'NOT_FOUND',
        `the ${this.settings.service} service has no staged import ${restoreId}`,
      );
    }
    await this.host.files.writeAtomic(`${place}/${committingName}`, '', { mode: 0o600 });
    await this.putInPlace(restoreId, place);
    await this.host.files.writeAtomic(
      `${this.directory}/imported.json`,
      `${JSON.stringify({ restore_id: restoreId })}\n`,
      { mode: 0o600 },
    );
    await this.host.files.remove(place);
    return true;
  }

  /** Drops a staged import. */
  async abort(restoreId: string): Promise<void> {
    const place = this.place(restoreId);
    if (await this.isImported(restoreId)) throw this.alreadyThrough(restoreId);
    if (await this.host.files.exists(`${place}/${committingName}`)) throw this.underWay(restoreId);
    await this.host.files.remove(place);
  }

  /** At start, before the state is used: carries an import to its end that a crash interrupted. */
  async finishInterrupted(): Promise<void> {
    for (const name of await this.host.files.list(this.directory)) {
      if (name.startsWith(`.${importPrefix}`)) await this.host.files.remove(`${this.directory}/${name}`);
      if (!name.startsWith(importPrefix)) continue;
      if (await this.host.files.exists(`${this.directory}/${name}/${committingName}`)) {
        const restoreId = name.slice(importPrefix.length);
        this.logger.info('an interrupted restore of the state is carried to its end', {
          restore_id: restoreId,
        });
        await this.carryOut(restoreId).catch((error: unknown) => {
          this.logger.error(
            'the restore could not be carried to its end, the backup service will try again',
            { error: String(error) },
          );
        });
      }
    }
  }

  /** Lets the state in force take effect in the service. */
  async takeEffect(previous: object): Promise<void> {
    try {
      await this.settings.hooks.apply?.(previous, this.store.current);
    } catch (error) {
      this.logger.error('the new state is saved, but could not take effect before the next start', {
        error: detailOf(error),
      });
    }
  }

  /** The names of the service's secret files. */
  async secretNames(): Promise<string[]> {
    const names = await this.host.files.list(this.directory);
    return names.filter((name) => secretFor(this.settings.secrets, name) !== undefined);
  }

  private async prepare({
    files,
    skip,
    schemaVersion,
  }: IncomingImport): Promise<Map<string, string | Buffer>> {
    const { service, secrets, hooks } = this.settings;
    if (schemaVersion > this.store.version) {
      throw new DomainError(
        'INVALID_REQUEST',
        `the backup has version ${schemaVersion} of the ${service} state, but this release knows versions up to ${this.store.version}`,
      );
    }
    const text = files.get(stateFileName);
    if (text === undefined)
      throw new DomainError('INVALID_REQUEST', `the backup has no file '${service}/${stateFileName}'`);
    const prepared = new Map<string, string | Buffer>();
    for (const [name, content] of files) {
      if (name === stateFileName) continue;
      const entry = secretFor(secrets, name);
      if (entry === undefined) {
        throw new DomainError(
          'INVALID_REQUEST',
          `'${service}/${name}' is not a file of the ${service} state`,
        );
      }
      if (entry.keptBy !== undefined && skip.has(entry.keptBy)) continue;
      entry.check?.(content, name);
      prepared.set(name, content);
    }
    const imported = this.store.parseExport(text.toString('utf8'), `${service}/${stateFileName}`);
    const data = (await hooks.transform?.(imported, { skip, current: this.store.current })) ?? imported;
    return prepared.set(stateFileName, this.store.exportText(data));
  }

  /** There is one restore at a time: what another one kept aside and nobody decided about is of no use. */
  private async dropForgotten(): Promise<void> {
    for (const name of await this.host.files.list(this.directory)) {
      if (!name.startsWith(importPrefix)) continue;
      if (await this.host.files.exists(`${this.directory}/${name}/${committingName}`)) continue;
      await this.host.files.remove(`${this.directory}/${name}`);
    }
  }

  private async putInPlace(restoreId: string, place: string): Promise<void> {
    // A change made after the state was replaced and before the import's end was recorded must not be lost.
    const reason = `restore ${restoreId}`;
    if (
      this.store.reason === reason ||
      (await this.store.history()).some((version) => version.reason === reason)
    )
      return;
    for (const name of await this.host.files.list(place)) {
      if (name === stateFileName || secretFor(this.settings.secrets, name) === undefined) continue;
      const content = await this.host.files.readBytes(`${place}/${name}`);
      await this.host.files.writeAtomic(`${this.directory}/${name}`, content, { mode: 0o600 });
    }
    const text = await this.host.files.readText(`${place}/${stateFileName}`);
    await this.store.replace(
      reason,
      this.store.parseExport(text, `${this.settings.service}/${stateFileName}`),
    );
  }

  private async isImported(restoreId: string): Promise<boolean> {
    const path = `${this.directory}/imported.json`;
    if (!(await this.host.files.exists(path))) return false;
    const record: unknown = JSON.parse(await this.host.files.readText(path));
    return (
      typeof record === 'object' &&
      record !== null &&
      'restore_id' in record &&
      record.restore_id === restoreId
    );
  }

  private place(restoreId: string): string {
    return `${this.directory}/${importPrefix}${restoreId}`;
  }

  private alreadyThrough(restoreId: string): DomainError {
    return new DomainError(
      'PRECONDITION_FAILED',
      `restore ${restoreId} is already in place in the ${this.settings.service} service`,
    );
  }

  private underWay(restoreId: string): DomainError {
    return new DomainError(
      'PRECONDITION_FAILED',
      `restore ${restoreId} is already being put in place in the ${this.settings.service} service`,
    );
  }
}
