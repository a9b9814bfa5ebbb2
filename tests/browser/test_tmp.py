import time
def test_a(visit):
    print(len(visit.questions), visit.view["step"], len(visit.requests))
def test_b(visits, server):
    for i in range(5):
        t=time.time(); v=visits(server.address); v.open(); print(i, time.time()-t)
        v.context.close()
def test_c(visit, models):
    visit.shows_the_numbers_of_its_state(models)
    with visit.count_requests() as r:
        visit.stroke((0,0),(7,7),steps=3)
    print([x.url for x in r], sum(visit.pixels))
    with visit.count_requests() as r:
        visit.stroke((3,3))
    print(len(r))
    with visit.count_requests() as r:
        visit.stroke((3,3),(3,0),(7,0),(0,0),steps=60)
    print(len(r), visit.page.evaluate("seen.most"))
