/** What systemd-networkd says of links and neighbours, from `networkctl --json` (systemd 257). */
import { isObject, type JsonObject, objects, parseJson, text } from './json.ts';

export interface LinkStatus {
  /** `off`, `no-carrier`, `carrier`, `degraded`, `routable`, `enslaved`, … */
  readonly operational: string;
  /** `online`, `partial`, `offline`; absent where nothing is required of the link. */
  readonly online: string | undefined;
}

export interface Neighbour {
  readonly chassisId: string;
  readonly name: string;
  readonly portId: string;
  readonly port: string;
}

/** Status by the name of the link, of `networkctl list --json=short`. */
export function parseStatuses(output: string): Map<string, LinkStatus> {
  const parsed = parseJson(output, 'networkctl list');
  const links = isObject(parsed) ? objects(parsed['Interfaces']) : [];
  return new Map(
    links.map((link) => [
      text(link, 'Name') ?? '',
      { operational: text(link, 'OperationalState') ?? 'unknown', online: text(link, 'OnlineState') },
    ]),
  );
}

/** Neighbours by the name of the link that heard them, of `networkctl lldp --json=short`. */
export function parseNeighbours(output: string): Map<string, Neighbour[]> {
  const parsed = parseJson(output, 'networkctl lldp');
  return neighboursIn(isObject(parsed) ? parsed : {});
}

/** The same of networkd's own answer, which the program passes on. */
export function neighboursIn(answer: JsonObject): Map<string, Neighbour[]> {
  return new Map(
    objects(answer['Neighbors']).map((link) => [
      text(link, 'InterfaceName') ?? '',
      objects(link['Neighbors']).map((one) => ({
        chassisId: text(one, 'ChassisID') ?? '',
        name: text(one, 'SystemName') ?? '',
        portId: text(one, 'PortID') ?? '',
        port: text(one, 'PortDescription') ?? '',
      })),
    ]),
  );
}
