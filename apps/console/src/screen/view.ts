/** What there is to show. Texts come from anywhere and are made printable where they are laid out. */

export interface View {
  readonly now: Date;
  /** IANA name. */
  readonly timeZone: string;
  /** Empty while it isn't known. */
  readonly hostname: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly machineId: string;
  /** Whether everything was up once since the machine started. */
  readonly ready: boolean;
  /** Services that don't answer now. */
  readonly missing: readonly string[];
  /** Undefined while they aren't known. */
  readonly interfaces: readonly Interface[] | undefined;
  readonly applications: readonly InstalledApplication[] | undefined;
  /** Undefined while it isn't known. */
  readonly recoveryKeysRetrieved: boolean | undefined;
  /** Oldest first. */
  readonly log: readonly LogLine[];
  readonly messages: readonly Message[];
}

export interface Interface {
  readonly name: string;
  readonly addresses: readonly string[];
  /** As networkctl(1) has it, such as `no-carrier`. */
  readonly state: string;
}

export interface InstalledApplication {
  readonly name: string;
  readonly version: string;
}

export interface LogLine {
  readonly at: Date;
  readonly service: string;
  readonly level: 'debug' | 'info' | 'warning' | 'error';
  readonly text: string;
}

/** Lies above everything else. */
export interface Message {
  readonly title: string;
  readonly text: string;
  /** 0..100 */
  readonly progress?: number;
}
