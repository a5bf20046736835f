// SPDX-License-Identifier: MIT
// The two ways to a server.  Each opens one channel; `on` is told of what happens to it:
//   open()  frame(object)  heard()  lost({ code?, status?, message? })     lost is the last, and comes once
// A channel has say(message) and close(); close(true) says goodbye: nobody will go on from here.  One that
// is fixed cannot be told anything: another request or token needs a new one.

const PROTOCOL = 'pgstack.live.v1';
const CLOSE_RETURNS = 4000;
const LINE_BYTES = 8_000; // of a request line, which everybody between here and the server takes (RFC 9112, section 3)
const END = Number.MAX_SAFE_INTEGER;

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the server says of a refusal, in PostgREST's form or none. */
async function refusal(response) {
  const body = parsed(await response.text().catch(() => ''));
  return { status: response.status, message: body?.message ?? `the server answers ${response.status}` };
}

/** The stream's address, and the headers, for these requests. */
function streamRequest(base, token, requests, signal) {
  const url = new URL('/live/v1/stream', base);
  for (const request of requests) url.searchParams.append('subscribe', JSON.stringify(request));
  const headers = { accept: 'text/event-stream', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  return [url, { headers, signal, cache: 'no-store' }];
}

/** There is room for all of these in the address of a stream, also for where they will go on from. */
export function fitsStream(base, requests) {
  const [{ pathname, search }] = streamRequest(base, undefined, requests.map((request) => ({ ...request, resume: { gen: END, seq: END } })));
  return `GET ${pathname}${search} HTTP/1.1`.length <= LINE_BYTES;
}

/** A page is not told why its WebSocket was refused: ask the stream, which answers in words. */
async function askWhy(base, token, fetch) {
  const abort = new AbortController();
  try {
    const response = await fetch(...streamRequest(base, token, [{ id: '-', query: '-' }], abort.signal));
    return response.ok ? { message: "the WebSocket was refused, and the stream is not: transport: 'sse' would do" } : await refusal(response);
  } catch (error) {
    return { message: `no answer: ${error.message}` };
  } finally {
    abort.abort();
  }
}

/** One WebSocket. */
export function openSocket({ base, WebSocket, fetch }, token, _requests, on) {
  const url = new URL('/live/v1', base);
  url.protocol = url.protocol.replace(/^http/, 'ws');
  const socket = new WebSocket(url, token ? [PROTOCOL, `bearer.${token}`] : [PROTOCOL]);
  let isOver = false, wasOpen = false;
  const end = async (why) => {
    if (isOver) return;
    isOver = true;
    on.lost(wasOpen ? why : await askWhy(base, token, fetch));
  };
  socket.onopen = () => {
    wasOpen = true;
    if (!isOver) on.open();
  };
  socket.onmessage = ({ data }) => {
    const frame = parsed(data);
    if (isOver) return;
    on.heard();
    if (frame) on.frame(frame);
    else socket.close(CLOSE_RETURNS);
  };
  // Some platforms say nothing more of one that never opened.
  socket.onerror = () => { if (!wasOpen) end(); };
  socket.onclose = ({ code, reason }) => end({ code, message: reason || `the connection was closed (${code})` });
  return {
    isFixed: false,
    say(message) { // what cannot be said any more is said anew on the next channel
      if (socket.readyState === 1) socket.send(JSON.stringify(message));
    },
    close(isGoodbye) {
      isOver = true;
      socket.close(isGoodbye ? 1000 : CLOSE_RETURNS);
    },
  };
}

/** The events of a stream, as they come (HTML Living Standard, section 9.2). */
async function readEvents(body, onBytes, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '', data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onBytes();
    const lines = value.split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop();
    for (const line of lines.map((text) => text.replace(/\r$/, ''))) {
      if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      if (line !== '' || data.length === 0) continue;
      onEvent(data.join('\n'));
      data = [];
    }
  }
}

/** One stream of Server-Sent Events; by fetch, since an EventSource cannot send the token in a header. */
export function openEvents({ base, fetch }, token, requests, on) {
  const abort = new AbortController();
  const follow = async () => {
    const response = await fetch(...streamRequest(base, token, requests, abort.signal));
    if (!response.ok) return refusal(response);
    on.open();
    await readEvents(response.body, on.heard, (text) => {
      const frame = parsed(text);
      if (frame && !abort.signal.aborted) on.frame(frame);
    });
    return { message: 'the stream has ended' };
  };
  follow().catch((error) => ({ message: error.message })).then((why) => {
    if (!abort.signal.aborted) on.lost(why);
  });
  return { isFixed: true, say() {}, close: () => abort.abort() };
}
