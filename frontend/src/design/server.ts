/** Requests to the server that the page is from. */

import type { Checked, Kept } from "./data";

const PAUSE = 1000;
const token = new URLSearchParams(location.search).get("token") ?? "";

/** The server gives no answer of use; the message says why. */
export class Refused extends Error {}

/** The file was changed on disk; `kept` is what stands there. */
export class Changed extends Error {
  constructor(readonly kept: Kept) {
    super();
  }
}

/** Return what `text` declares. */
export async function check(text: string, withSaved: boolean): Promise<Checked> {
  return (await answerOf("/check", { text, with_saved: withSaved })).json();
}

/** Save `text` in the place of the file with `fingerprint`, and return the new one. */
export async function save(text: string, fingerprint: string): Promise<string> {
  const answer = await answerOf("/save", { text, fingerprint });
  if (answer.status === 409) throw new Changed(await answer.json());
  return (await answer.json()).fingerprint;
}

/** Tell the server that the page is open, and call `then` whenever it is reached or not. */
export function stayOpen(then: (isReached: boolean) => void): void {
  const socket = new WebSocket(`ws://${location.host}/open?token=${encodeURIComponent(token)}`);
  socket.addEventListener("open", () => then(true));
  socket.addEventListener("close", () => {
    then(false);
    setTimeout(() => stayOpen(then), PAUSE);
  });
}

async function answerOf(path: string, body: object): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { method: "POST", headers: { "X-Token": token }, body: JSON.stringify(body) });
  } catch {
    throw new Refused("the command that serves this page has ended");
  }
  if (answer.ok || answer.status === 409) return answer;
  const text = (await answer.text()).trim();
  throw new Refused(answer.headers.get("content-type") === "application/json" ? JSON.parse(text).message : text);
}
