/** Colours of a terminal. */

/** The styles by what they are for, as parameters of the escape sequence SGR (ECMA-48, 8.3.117): `1;31` is bold and red. */
export type Styles<Name extends string> = Readonly<Record<Name, string>>;

export type Paint<Name extends string> = (text: string, name: Name) => string;

/** What paints a text in a style; without colour it leaves the text as it is. */
export function painter<Name extends string>(color: boolean, styles: Styles<Name>): Paint<Name> {
  return color ? (text, name) => `\x1b[${styles[name]}m${text}\x1b[0m` : (text) => text;
}
