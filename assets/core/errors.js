// Why a question to the server has no answer that is shown. Any other error: the server was not reached.

/** The server understood and said no: its sentence is for the visitor, and asking again would not help. */
export class Refused extends Error {
  /**
   * @param {string} sentence
   * @param {string | null} version of the server
   */
  constructor(sentence, version) {
    super(sentence);
    this.version = version;
  }
}

/** The server is there and has no room. */
export class Busy extends Error {
  /** @param {number} seconds to wait before asking again */
  constructor(seconds) {
    super("busy");
    this.seconds = seconds;
  }
}

/** Something answers, but not as the server does: to ask often would not help. */
export class UnexpectedResponse extends Error {}

/** A server of another version refuses what the page asks, or answers what the page cannot read or draw. */
export class Outdated extends Error {}

/** The page fails to draw an answer. */
export class RenderError extends Error {}
