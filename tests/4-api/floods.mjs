// Frames that attackers of HTTP/2 send, and the limit that each runs into.
import { ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, RST, SETTINGS, WINDOW, frame, get, newest,
  remember, uint32 } from '../lib/h2.mjs';

export const open_stream = (id) => frame(HEADERS, END_HEADERS | END_STREAM, id, get('/rest/v1/item?id=eq.1'));
export const upload = (id) => frame(HEADERS, END_HEADERS, id, get('/rest/v1/item'));
export const streams = (n) => Array.from({ length: n }, (_, i) => 2 * i + 1);

/** name: [frames, the limit that counts it] */
export const floods = {
  'rapid reset (CVE-2023-44487)': [() => streams(50_000).map((id) => Buffer.concat([open_stream(id), frame(RST, 0, id, uint32(8))])), 'h2_reset'],
  'made to reset by a window of nothing (CVE-2025-8671)': [() => streams(50_000).map((id) => Buffer.concat([upload(id), frame(WINDOW, 0, id, uint32(0))])), 'h2_reset'],
  'made to reset by an overflowing window': [() => streams(50_000).map((id) => Buffer.concat([upload(id), frame(WINDOW, 0, id, uint32(0x7fffffff)), frame(WINDOW, 0, id, uint32(0x7fffffff))])), 'h2_reset'],
  'made to reset by data after the end': [() => streams(50_000).map((id) => Buffer.concat([open_stream(id), frame(DATA, 0, id, Buffer.from('x'))])), 'h2_reset'],
  'data on a closed stream': [() => [open_stream(1), ...Array(50_000).fill(frame(DATA, 0, 1, Buffer.from('x')))], 'h2_reset'],
  'PING': [() => Array(100_000).fill(frame(PING, 0, 0, Buffer.alloc(8))), 'h2_ping'],
  'PING acknowledged that never was': [() => Array(100_000).fill(frame(PING, ACK, 0, Buffer.alloc(8))), 'h2_ping'],
  'SETTINGS': [() => Array(100_000).fill(frame(SETTINGS)), 'h2_settings'],
  'PRIORITY': [() => Array(100_000).fill(frame(PRIORITY, 0, 1, Buffer.concat([uint32(0), Buffer.from([1])]))), 'h2_priority'],
  'WINDOW_UPDATE': [() => Array(400).fill(Buffer.concat(Array(1000).fill(frame(WINDOW, 0, 0, uint32(1))))), 'h2_window'],
  'unknown types': [() => Array(100_000).fill(frame(0x7f, 0, 0, Buffer.alloc(4))), 'h2_unknown'],
  'empty DATA': [() => [upload(1), ...Array(100_000).fill(frame(DATA, 0, 1))], 'h2_empty_data'],
  'GOAWAY': [() => Array(100_000).fill(frame(GOAWAY, 0, 0, Buffer.alloc(8))), 'h2_goaway'],
  'empty CONTINUATION': [() => [frame(HEADERS, END_STREAM, 1, get('/')), ...Array(100_000).fill(frame(CONTINUATION, 0, 1))], 'h2_continuation'],
  'CONTINUATION of four bytes': [() => [frame(HEADERS, END_STREAM, 1, get('/')), ...Array(100_000).fill(frame(CONTINUATION, 0, 1, Buffer.from([0x82, 0x82, 0x82, 0x82])))], 'h2_continuation'],
  'heads that unpack to 48,000 fields of 4 KB': [() => streams(90).flatMap((id) => [
    frame(HEADERS, END_STREAM, id, Buffer.concat([get('/'), remember('x-bomb', 'x'.repeat(3900)), Buffer.alloc(12_000, newest)])),
    frame(CONTINUATION, 0, id, Buffer.alloc(16_000, newest)), frame(CONTINUATION, 0, id, Buffer.alloc(16_000, newest)),
    frame(CONTINUATION, END_HEADERS, id, Buffer.alloc(4_000, newest))]), 'h2_header_bomb'],
};
