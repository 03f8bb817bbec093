/** Reads a JSON object without lists or objects in it, and knows where everything stands. */

/** A place in a text; both from 1, the column in UTF-16 code units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Member {
  readonly name: string;
  readonly value: string | number | boolean | null;
  /** Of its name. */
  readonly place: Place;
  readonly valuePlace: Place;
}

/** A text that is no such object. */
export class JsonFault extends Error {
  constructor(
    readonly place: Place,
    message: string,
  ) {
    super(message);
  }
}

const token =
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.])|[A-Za-z_]+|[{}[\]:,]/y;

/** Reads the whole text. Throws a JsonFault. */
export function readFlatObject(text: string): Member[] {
  const reader = new Reader(text);
  const members: Member[] = [];
  reader.expect("{");
  if (reader.next === "}") reader.take();
  else {
    for (let separator = ","; separator === ","; ) {
      members.push(reader.member());
      if (reader.next !== "," && reader.next !== "}") reader.fail('"," or "}"');
      separator = reader.take();
    }
  }
  if (reader.next !== "") reader.fail("the end of the file");
  return members;
}

class Reader {
  /** The word to read next; empty at the end. */
  next = "";
  private start = 0;
  private end: number;

  constructor(private readonly text: string) {
    this.end = text.startsWith("\ufeff") ? 1 : 0;
    this.advance();
  }

  private advance(): void {
    while (/[ \t\r\n]/.test(this.text[this.end] ?? "")) this.end++;
    this.start = token.lastIndex = this.end;
    const found = token.exec(this.text)?.[0];
    if (found === undefined && this.start < this.text.length) {
      throw new JsonFault(
        this.place(),
        this.text[this.start] === '"' ? "this string is not closed, or has a wrong escape" : "this is not JSON",
      );
    }
    this.next = found ?? "";
    this.end = this.start + this.next.length;
  }

  private place(): Place {
    const before = this.text.slice(0, this.start);
    return { line: before.split("\n").length, column: this.start - before.lastIndexOf("\n") };
  }

  fail(wanted: string): never {
    throw new JsonFault(this.place(), `${wanted} is expected here, not ${this.next === "" ? "the end of the file" : this.next}`);
  }

  take(): string {
    const word = this.next;
    this.advance();
    return word;
  }

  expect(word: string): void {
    if (this.next !== word) this.fail(JSON.stringify(word));
    this.advance();
  }

  member(): Member {
    const place = this.place();
    if (!this.next.startsWith('"')) this.fail("a name in double quotes");
    const name = JSON.parse(this.take()) as string;
    this.expect(":");
    const valuePlace = this.place();
    if (/^[{[]/.test(this.next)) throw new JsonFault(valuePlace, `${JSON.stringify(name)} cannot be a list or an object`);
    if (/^[:,}\]]?$/.test(this.next) || (/^[A-Za-z_]/.test(this.next) && !/^(?:true|false|null)$/.test(this.next))) this.fail("a value");
    return { name, value: JSON.parse(this.take()) as Member["value"], place, valuePlace };
  }
}
