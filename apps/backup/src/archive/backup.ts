/** What a backup holds, whatever its form. */
export interface Backup {
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly osName: string;
  readonly osRelease: string;
  readonly services: readonly ServiceBackup[];
}

/** The state of one service as it exported it. */
export interface ServiceBackup {
  readonly service: string;
  readonly schemaVersion: number;
  readonly files: ReadonlyMap<string, Buffer>;
}
