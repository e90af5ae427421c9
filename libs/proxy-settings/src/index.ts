/** What the local proxy is told to do: its settings, which destinations a rule means, where a proxy server is. */
export { type Destination, destinationMatcher, PatternError } from './destination.ts';
export { type Endpoint, parseEndpoint } from './endpoint.ts';
export {
  type Authentication,
  formatSettings,
  localProxy,
  parseSettings,
  type ProxyRule,
  type ProxyServer,
  type ProxySettings,
} from './settings.ts';
