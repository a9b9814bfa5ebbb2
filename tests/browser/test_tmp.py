def test_motion(visits, server):
    v = visits(server.address, reduced_motion="reduce").open("?v=1&m=10&tab=integrated")
    print(v.page.evaluate("""() => [...document.querySelectorAll("body *")].map(e => [e.id, getComputedStyle(e).transitionDuration, getComputedStyle(e).transitionProperty, getComputedStyle(e).animationName, getComputedStyle(e).animationDuration]).filter(r => r[1].split(',').some(t=>parseFloat(t)>0.01) || r[3] !== 'none').slice(0,9)"""))
def test_chart(visits, server):
    v = visits(server.address).open("?v=1&tab=integrated")
    area = v.page.locator("#path-chart .cursor-area")
    area.evaluate("(element) => element.scrollIntoView({ block: 'center' })")
    b = area.bounding_box(); print(b)
    x,y=b["x"] + 0.3 * b["width"], b["y"] + b["height"] / 2
    print(v.page.evaluate("([x,y]) => document.elementsFromPoint(x,y).map(e=>e.tagName+'#'+e.id+'.'+(e.className.baseVal===undefined?e.className:'svg'))", [x,y]))
    v.page.mouse.move(x,y); v.page.mouse.down(); print(v.view["step"]); v.page.mouse.up()
    v.page.screenshot(path="/tmp/chart.png")
