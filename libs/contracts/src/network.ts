/** Messages and client of the network service. */
export * from './generated/incusos/network/v1/network.ts';
export * from './generated/incusos/network/v1/network_service.ts';
