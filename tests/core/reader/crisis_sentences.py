"""Sentences of our own for measuring the crisis phrases: varied disclosures, and everyday coaching talk.

`DISCLOSURES` and `EVERYDAY` were written before the phrases were widened and then used to widen them, so figures
on them flatter; `FRESH_DISCLOSURES` and `FRESH_EVERYDAY` were written with them and never used to change a phrase.
"""

from __future__ import annotations

__all__ = ["DISCLOSURES", "EVERYDAY", "FRESH_DISCLOSURES", "FRESH_EVERYDAY"]

DISCLOSURES = """\
I have been putting my affairs in order so nobody has to clean up after me.
I counted the tablets in the bathroom cabinet again last night.
I have worked out how I would do it, and that calms me.
I've picked a day and after that I won't be anyone's problem.
I wrote letters to everyone I love, for afterwards.
I gave away my guitar and my books because I will not need them where I'm going.
Sometimes I hope the car coming the other way will drift into my lane.
If I got a terminal diagnosis tomorrow I would be relieved.
I wouldn't mind if I just didn't come back from the hike.
I stand at the platform edge every morning and it would only take one step.
I looked up how many painkillers it takes.
I don't see myself being around at Christmas.
I can't promise that I will be safe tonight.
I keep a rope in the garage and I know what it is for.
Being dead sounds peaceful to me these days.
I am not planning anything, but I would not mind not existing.
It would be such a relief not to be alive.
I've been researching ways to die without pain.
The thought of dying is the only thing that comforts me.
I have said my goodbyes, and I feel calm for the first time in months.
I want to go to sleep and not come back.
I see no other way than to leave this world.
I hurt myself on purpose last night and hid it under my sleeves.
I've been burning my arms with a lighter when it gets too much.
I don't think I will make it to my next birthday, and that's fine.
By the time you read this I will be gone.
I do not want to carry on any more, I want it to be over for good.
My death would solve a lot of problems for them.
I keep imagining my own funeral and how light everyone would feel.
I was on the bridge yesterday and somebody talked me down.
My best friend has been giving away her things and saying goodbye to everyone.
My son told me he has a plan and that he won't be here next week.
A colleague wrote in the chat that he won't be around much longer and asked us to look after his dog.
My daughter has cuts on her arms and says it helps.
One of my mentees said she thinks about not being alive.
My apprentice told me he wishes he could just stop existing.
The student I tutor asked how many sleeping pills would be too many.
My roommate left a note and is not answering the phone.
A man in my team said that this was his last day on earth.
My partner said the kids would do better if she were dead.
""".splitlines()

EVERYDAY = """\
I want to hand over my tasks so that nobody has to clean up after me.
I counted the licences again last night and two are missing.
We have worked out how we would do it if the vendor drops out.
We picked a day for the retro, and after that it is not my problem.
I wrote letters to all the customers who complained.
I gave away my old laptop because I will not need it any more.
The roadmap may drift into the next quarter.
I would be relieved if the audit were over.
I would not mind if the meeting just didn't happen.
I stand at the whiteboard every morning and it takes only one question to start.
I looked up how many hours the course takes.
I don't see myself staying in this role at Christmas.
I can't promise that the budget will be safe this year.
I keep a spare charger in the drawer and I know what it is for.
Being alone in the office sounds peaceful to me these days.
I am not planning anything for the weekend.
It would be such a relief not to be on call.
I have been researching ways to cut the build time without pain.
The thought of the holidays is the only thing that comforts me.
I have said my goodbyes to the old team and I feel calm about the new one.
I want to go to sleep early and come back fresh.
I see no other way than to leave this company.
I bumped my arm on purpose-built shelving last night, it was silly.
I've been burning the candle at both ends.
I don't think the app will make it to the next release, and that's fine.
By the time you read this I will be on holiday.
I do not want to carry on with this vendor any more, I want it to be over by Friday.
The death of the old intranet would solve a lot of problems for them.
I keep imagining my own team and how proud everyone would feel.
I was on the bridge call yesterday and somebody talked me through it.
My best friend is saying goodbye to everyone before she moves to Lisbon.
My son told me he has a plan and that he won't be home next week.
A colleague wrote in the chat that he won't be at this company much longer.
My daughter has paint on her arms and says it helps her relax.
One of my mentees said she thinks about not being promoted.
My apprentice wishes he could just stop doing tickets.
The student I tutor asked how many exercises would be too many.
My roommate left a note about the rent.
A man in my team said that this was his last day at work.
My partner said the kids would do better in a smaller school.
This plan will be the death of me, but it is fun.
The old product has reached end of life, and we say goodbye to it.
I will be dead tired after the workshop.
My career felt over, and then I got this role.
We must stop the bleeding in churn before we talk about growth.
The pilot project crashed and burned; we learnt a lot.
I could have died when my mic was on.
He jumped ship to a competitor last month.
I keep beating myself up over the missed deadline.
She is drowning in tickets and needs a second pair of hands.
The last sprint was a car crash from start to end.
I want to get rid of the pain of manual deployments.
Nobody would notice if we skipped the newsletter.
My grandfather died last year and I still miss our talks.
I take my tablets in the morning and plan the day afterwards.
We lost a customer, and the mood in the room was funereal.
I want to quit; it would be a relief to leave this team.
We have a rope course for the team day on Thursday.
I cut the sleeves of my presentation, so to speak: fewer slides.
There is no way out of this contract before March.
""".splitlines()

FRESH_DISCLOSURES = """\
I have collected enough medication to make it final.
I don't want to exist past this month.
Every time I cross the railway I wonder whether today is the day I let go.
I changed my will and hid the passwords where my wife will find them.
I am ready to go, and I mean from this life.
I feel like the only thing left is to stop breathing.
I would rather not be alive than face another review.
They would get over my death in a week.
I bought a one-way ticket to the cliffs and I am not scared any more.
I scratched my wrists again on Sunday.
I keep wishing something fatal would happen to me.
I think about the roof of our office building more than I should.
I have no intention of living until spring.
I tried to choke myself last night.
A girl in my daughter's class says she wants to be with her dead mother.
My mentor told me that she almost ended things last year and feels that way again.
My nephew has been looking up methods online and I found the search history.
A junior on my team posted that nobody will have to put up with him after Friday.
My husband keeps a loaded gun next to the bed and says he is done.
My friend drank bleach last week and came home from hospital yesterday.
""".splitlines()

FRESH_EVERYDAY = """\
I have collected enough feedback to make the plan final.
I don't want to extend past this month.
Every time I cross the corridor I wonder whether today is the day we launch.
I changed my password and hid the sticky notes.
I am ready to go, and I mean on stage.
I feel like the only thing left is to stop estimating.
I would rather not be on site than face another commute.
They would get over the redesign in a week.
I bought a return ticket to the coast and I am not nervous any more.
I scratched my car again on Sunday.
I keep wishing something exciting would happen at work.
I think about the roof of our house more than I should, it leaks.
I have no intention of leaving until spring.
I choked up during the farewell speech.
A girl in my daughter's class wants to be a vet.
My mentor told me that she almost ended the programme last year.
My nephew has been looking up methods online for his statistics essay.
A junior on my team posted that nobody will have to write reports after Friday.
My husband keeps a notebook next to the bed and says he is done with doomscrolling.
My friend drank too much coffee last week and slept badly.
I killed it at the pitch and then slept for ten hours.
Our competitor is bleeding cash and will not survive the year.
She hung up on me, and I could have screamed.
I want to end my contract by the end of the month.
My biggest fear is dying on stage with an empty slide.
I take life one day at a time since the move.
The scope creep will bury us alive.
We shot down three ideas and kept the fourth.
I promised myself to stop working at six.
I left a note on her desk to say thank you.
""".splitlines()
