import { describe, expect, it } from "vitest";
import { asset, documentText, element } from "../../../../src/review/formats/html/element.js";
import { hostileText } from "../sample-report.js";

describe("element", () => {
  it("nests elements, text and numbers, and leaves out what is false or undefined", () => {
    const list = element("ul", { class: "a", hidden: true, id: undefined }, [element("li", {}, 1, " & ", undefined), false, "x"]);
    expect(`${list}`).toBe('<ul class="a" hidden><li>1 &amp; </li>x</ul>');
    expect(`${element("input", { type: "search", value: false })}`).toBe('<input type="search">');
    expect(documentText(list)).toBe(`<!doctype html>\n${list}\n`);
  });

  it("escapes text and attributes, and shows what has no visible form", () => {
    expect(`${element("p", { class: `"'<>&` }, `"'<>&`)}`).toBe('<p class="&quot;&#39;&lt;&gt;&amp;">&quot;&#39;&lt;&gt;&amp;</p>');
    expect(`${element("p", {}, "\u202e\u0000\t\n")}`).toBe("<p>\\u{202e}\\x00    \n</p>");
    expect(`${element("p", { class: hostileText }, hostileText)}`).not.toMatch(/<(?!p |\/p>)/);
  });

  it.each(["https://192.0.2.1/", "javascript:alert(1)", "//192.0.2.1", "#a b", "rules.html", "#"])("refuses the link %s", (href) => {
    expect(() => element("a", { href }, "x")).toThrow(RangeError);
    expect(`${element("a", { href: "#rule-1" }, "x")}`).toBe('<a href="#rule-1">x</a>');
  });
});

describe("asset", () => {
  it("is as it is, and cannot end early", () => {
    expect(`${asset("style", 'a > b { content: "&" }')}`).toBe('<style>a > b { content: "&" }</style>');
    for (const text of ["</script>", "</STYLE", "<!--"]) expect(() => asset("script", text)).toThrow(RangeError);
  });
});
