// The version that both sides compare first.

/** Raised when a message changes in a way that an older side would misread. */
export const protocolVersion = 4;

/** The WebSocket subprotocol; a connection that does not ask for it is refused. */
export const subprotocol = 'tokenflow.v1';

/** Path of the WebSocket on the companion server. */
export const socketPath = '/socket';
